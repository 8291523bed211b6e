import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { unanswered } from "../../../infra/aws/answering.ts";
import { run } from "../../../infra/exec.ts";

let folder = "";
let server: Server;
/** Status codes of the next responses. The last one is repeated. */
let codes: number[] = [];
const requests: (string | undefined)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-answering-"));
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"],
    ...["-subj", "/CN=self-signed", "-keyout", key, "-out", cert],
  ]);
  server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
    requests.push(`${request.headers.host}${request.url}`);
    response.writeHead((codes.length > 1 ? codes.shift() : codes[0]) ?? 500).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** @param limit milliseconds; 0 polls once */
const poll = (addresses: string[], limit: number) =>
  unanswered(addresses, "mcp.example.com", {
    ...{ log: () => {}, limit, every: 1, port: (server.address() as AddressInfo).port },
  });

describe("unanswered", () => {
  test("waits until all machines are ready under the edge's name", async () => {
    codes = [503, 503, 200];
    expect(await poll(["127.0.0.1"], 60_000)).toEqual([]);
    expect(requests).toEqual(Array(3).fill("mcp.example.com/readyz"));
  });

  test("returns the addresses that are not ready at the time limit", async () => {
    codes = [200];
    expect(await poll(["127.0.0.1", "127.0.0.2"], 0)).toEqual(["127.0.0.2"]);
    codes = [503];
    expect(await poll(["127.0.0.1"], 0)).toEqual(["127.0.0.1"]);
  });
});
