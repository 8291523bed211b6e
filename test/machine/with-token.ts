import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import type { UpOutput } from "./support.ts";

/**
 * A proxy on loopback to a machine's edge, for clients that know neither its token nor its certificate authority (the conformance
 * suite): it adds the token, and passes everything else through as it is, streams too.
 */
export async function withToken(up: UpOutput, token: string) {
  const { hostname } = new URL(up.deployed.url);
  const ca = await readFile(up.deployed.rootsFile, "utf8");
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, answer) => {
    const own = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers: IncomingHttpHeaders = { ...incoming.headers, authorization: `Bearer ${token}` };
    // Another host name is passed on, since the suite tests that it is refused.
    if (headers.host === own || headers.host === own.replace("127.0.0.1", "localhost"))
      headers.host = hostname;
    if (headers.origin === `http://${own}`) headers.origin = `https://${hostname}`;
    const { method, url: path } = incoming;
    const options = { host: up.deployed.ipv4, servername: hostname, ca, agent, method, path, headers };
    const call = request(options, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      answer.flushHeaders();
      response.pipe(answer);
    });
    call.on("error", (error) => answer.destroy(error));
    answer.on("close", () => call.destroy());
    incoming.pipe(call);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      agent.destroy();
      return new Promise<unknown>((done) => server.close(done));
    },
  };
}
