import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { archiveName, checksumOf, downloadEngine } from "../../../cli/engine/download.ts";
import { ENGINE_VERSION, findEngine, recentEnough } from "../../../cli/engine/find.ts";
import { run } from "../../../infra/exec.ts";

/** A local release server with small archives, instead of the official one. */
let folder = "";
let server: Server;
let base = "";
let archive: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-engine-"));
  await mkdir(join(folder, "pulumi"));
  await writeFile(join(folder, "pulumi/pulumi"), `#!/bin/sh\necho v${ENGINE_VERSION}\n`);
  await chmod(join(folder, "pulumi/pulumi"), 0o755);
  await run("tar", ["-czf", "release.tar.gz", "pulumi"], { cwd: folder });
  archive = await readFile(join(folder, "release.tar.gz"));
  const sum = createHash("sha256").update(archive).digest("hex");
  server = createServer((request, response) => {
    const [, kind, file] = (request.url ?? "").split("/");
    const wrong = kind === "wrong" ? "0".repeat(64) : sum;
    if (file?.endsWith("checksums.txt")) response.end(`${wrong}  ${archiveName()}\n`);
    else if (file === archiveName() && kind !== "gone") response.end(archive);
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true });
});

describe("downloadEngine", () => {
  test("unpacks a verified archive where findEngine looks for it", async () => {
    const target = join(folder, "engine");
    await downloadEngine(target, () => {}, `${base}/good`);
    expect(await findEngine("", target)).toEqual({
      folder: target,
      version: ENGINE_VERSION,
      origin: "cache",
    });
  });

  test.each([
    ["wrong", /another checksum/],
    ["gone", /answered 404/],
  ])("fails if the archive is %s, and leaves no file", async (kind, message) => {
    const target = join(folder, kind);
    await expect(downloadEngine(target, () => {}, `${base}/${kind}`)).rejects.toThrow(message);
    expect(existsSync(target)).toBe(false);
    expect((await readdir(folder)).filter((name) => name.startsWith(kind))).toEqual([]);
  });
});

test("checksumOf finds the line of the archive", () => {
  expect(checksumOf("aa  x.tar.gz\nbb  y.tar.gz\n", "y.tar.gz")).toBe("bb");
  expect(checksumOf("aa  x.tar.gz\n", "y.tar.gz")).toBeUndefined();
});

test.each([
  ["3.250.0", true],
  ["3.200.1", true],
  ["3.199.0", false],
  ["2.9.0", false],
  ["4.0.0", true],
])("engine %s is recent enough: %s", (version, enough) => {
  expect(recentEnough(version)).toBe(enough);
});
