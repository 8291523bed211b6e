import { expect, test } from "@jest/globals";
import { freePort } from "../../../../support/free-port.ts";
import { startBackend } from "../../../http3/servers/backend.ts";
import { createAuthority } from "../../../http3/servers/certificates.ts";
import { startNginx } from "../../../http3/servers/nginx.ts";
import { examine } from "../../fixture.ts";

test.each([
  [421, true, "HTTP/3 421, HTTP/2 421, HTTP/1.1 421"],
  [404, true, "HTTP/3 404, HTTP/2 404, HTTP/1.1 404"],
  [200, false, "HTTP/3 answers 200 to a request for another host"],
  [500, false, "HTTP/3 answers 500 to a request for another host"],
])("reports a request for another host that is answered with %d", async (foreign, ok, got) => {
  const authority = createAuthority();
  const backend = await startBackend();
  const [port, httpPort] = [await freePort(), await freePort()];
  const { folder, ca } = authority;
  const certificate = authority.issue("edge.test");
  const nginx = await startNginx({ folder, certificate, port, httpPort, backend: backend.port, foreign });
  try {
    const ids = ["dns", "tcp", "udp", "http3", "http2", "http1", "foreign-host"];
    const result = (await examine(ids, { port }, { ca })).at(-1);
    expect(result).toMatchObject({ id: "foreign-host", ok, got });
    if (!ok) expect(result?.fix).toContain("return 421");
  } finally {
    await nginx.stop();
    await backend.close();
    authority.remove();
  }
});
