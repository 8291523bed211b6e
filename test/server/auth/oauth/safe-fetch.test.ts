import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { isPublicAddress } from "../../../../server/auth/oauth/public-address.ts";
import { safeFetch } from "../../../../server/auth/oauth/safe-fetch.ts";
import { temporaryFolder } from "../../support.ts";

const HOST = "client.example.com";
let server: Server;
let ca: Buffer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let requests: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const subject = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`, "-days", "2"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, ...subject], {
    stdio: "pipe",
  });
  ca = readFileSync(cert);
  server = createServer({ key: readFileSync(key), cert: ca }, (request, response) => {
    requests.push(`${request.url} ${request.headers.cookie ?? ""}${request.headers.authorization ?? ""}`);
    if (request.url === "/moved") response.writeHead(302, { location: "https://169.254.169.254/" }).end();
    else if (request.url === "/large") response.end(JSON.stringify("x".repeat(9_000)));
    else if (request.url !== "/silent") response.setHeader("content-type", "application/json").end('{"a":1}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await folder.remove();
});

/** As on the internet, but for the port and that this computer counts as public. */
function get(path: string, more: Partial<Parameters<typeof safeFetch>[1]> = {}) {
  const { port } = server.address() as AddressInfo;
  const here = { resolve: async () => ["127.0.0.1"], isPublic: () => true, ports: [String(port)], ca };
  return safeFetch(`https://${HOST}:${port}${path}`, {
    maxBytes: 5_000,
    // A slow host is no silent server.
    timeoutMs: 60_000,
    ...here,
    ...more,
  });
}

test("a document is fetched, with a certificate for its host", async () => {
  requests = [];
  const response = await get("/document");
  expect([response.status, await response.json()]).toEqual([200, { a: 1 }]);
  expect(requests).toEqual(["/document "]);
});

test("a redirect is not followed, a large body is not read, and a silent server is left", async () => {
  const moved = await get("/moved");
  expect([moved.status, await moved.text()]).toEqual([302, ""]);
  await expect(get("/large")).rejects.toThrow("longer than 5000 bytes");
  await expect(get("/silent", { timeoutMs: 500 })).rejects.toThrow(/timeout|aborted/i);
});

test("a name that has one private address among others is not connected to", async () => {
  requests = [];
  const isPublic = (address: string) => address !== "10.0.0.1";
  const resolve = async () => ["127.0.0.1", "10.0.0.1"];
  await expect(get("/document", { resolve, isPublic })).rejects.toThrow("not public");
  expect(requests).toEqual([]);
});

test("the address that was checked is the one that is used, though the name points elsewhere a moment later", async () => {
  let asked = 0;
  const resolve = async () => (asked++ === 0 ? ["127.0.0.1"] : ["10.0.0.1"]);
  expect((await get("/document", { resolve })).status).toBe(200);
  expect(asked).toBe(1);
});

test.each([
  ["http://client.example.com/", "only https"],
  ["https://user:pw@client.example.com/", "credentials"],
  ["https://client.example.com:8443/", "only port 443"],
  ["https://127.0.0.1/", "not public"],
  ["https://2130706433/", "not public"],
  ["https://0x7f.1/", "not public"],
  ["https://[::1]/", "not public"],
  ["https://[::ffff:169.254.169.254]/", "not public"],
  ["https://169.254.169.254/latest/meta-data/", "not public"],
  ["https://localhost/", "not public"],
])("%s is not fetched: %s", async (url, reason) => {
  await expect(safeFetch(url, { maxBytes: 1 })).rejects.toThrow(reason);
});

test.each([
  ["8.8.8.8", true],
  ["2606:4700::1111", true],
  ["10.1.2.3", false],
  ["100.64.0.1", false],
  ["172.31.0.1", false],
  ["192.168.1.1", false],
  ["169.254.169.254", false],
  ["0.0.0.0", false],
  ["224.0.0.1", false],
  ["255.255.255.255", false],
  ["::", false],
  ["::1", false],
  ["::ffff:8.8.8.8", false],
  ["::ffff:7f00:1", false],
  ["64:ff9b::7f00:1", false],
  ["2002:7f00:1::", false],
  ["2001:0:1::1", false],
  ["fd00:ec2::254", false],
  ["fe80::1", false],
  ["fec0::1", false],
  ["ff02::1", false],
  ["2001:db8::1", false],
  ["localhost", false],
])("%s is public: %s", (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});
