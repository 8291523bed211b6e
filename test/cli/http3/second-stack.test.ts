import { createSecureServer, type ServerHttp3Stream } from "@currentspace/http3";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { http3Fetch } from "../../../cli/http3/http3-fetch.ts";
import { freePort } from "../../support/free-port.ts";
import { type Authority, createAuthority } from "./servers/certificates.ts";

/** Another HTTP/3 server than NGINX, so that the tests do not depend on NGINX's behaviour. */
let authority: Authority;
let server: ReturnType<typeof createSecureServer>;
let port: number;

beforeAll(async () => {
  authority = createAuthority();
  const { key, cert } = authority.issue("second.test");
  port = await freePort();
  server = createSecureServer(
    { key, cert, runtimeMode: "portable" },
    (stream: ServerHttp3Stream, headers) => {
      stream.on("error", () => undefined);
      if (headers[":path"] === "/early") {
        // A response before the request's body was read.
        stream.respond({ ":status": "413" });
        stream.end("too much");
        return;
      }
      stream.respond({ ":status": "200", "content-type": "text/plain" });
      stream.end(`${headers[":method"]} ${headers[":authority"]} ${headers[":path"]}`);
    },
  );
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    server.once("listening", () => resolve());
    server.listen(port, "127.0.0.1");
  });
});

afterAll(async () => {
  await server.close();
  authority.remove();
});

test("http3Fetch gets responses, also before the body was sent", async () => {
  const client = http3Fetch({ ca: authority.ca, address: "127.0.0.1", connectTimeoutMs: 60_000 });
  const origin = `https://second.test:${port}`;
  for (let i = 0; i < 50; i++) {
    expect(await (await client.fetch(`${origin}/${i}`)).text()).toBe(`GET second.test:${port} /${i}`);
  }
  const endless = new ReadableStream<Uint8Array>(
    { pull: (sink) => sink.enqueue(new Uint8Array(1000)) },
    { highWaterMark: 0 },
  );
  const early = await client.fetch(`${origin}/early`, {
    method: "POST",
    body: endless,
    duplex: "half",
  } as RequestInit);
  expect([early.status, await early.text()]).toEqual([413, "too much"]);
  await client.close();
});

test("http3Fetch refuses a certificate for another name", async () => {
  const client = http3Fetch({ ca: authority.ca, address: "127.0.0.1", connectTimeoutMs: 60_000 });
  await expect(client.fetch(`https://other.test:${port}/`)).rejects.toMatchObject({ code: "handshake" });
  await client.close();
});
