import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

let home: string;
let placeArchive: typeof import("../../../infra/local/machine.ts").placeArchive;
let incoming: string;
let archive: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "mcp-edge-home-"));
  process.env.MCP_EDGE_HOME = home;
  ({ placeArchive } = await import("../../../infra/local/machine.ts"));
  const { dataFolder } = await import("../../../infra/local/guest.ts");
  incoming = join(dataFolder("demo"), "incoming");
  expect(incoming.startsWith(home)).toBe(true);
  archive = join(home, "abc.tar.zst");
  await writeFile(archive, "the whole archive");
});
afterAll(() => rm(home, { recursive: true, force: true }));

test.each([
  ["is not there", undefined],
  ["is whole", "the whole archive"],
  ["was cut short by a crash", "the whole"],
  ["is empty after a crash", ""],
  ["has another content of the same length", "The whole archive"],
])("an archive that %s is intact on the machine afterwards", async (_, there) => {
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  if (there !== undefined) await writeFile(join(incoming, "abc.tar.zst"), there);
  await placeArchive("demo", archive);
  expect(await readFile(join(incoming, "abc.tar.zst"), "utf8")).toBe("the whole archive");
  expect(await readdir(incoming)).toEqual(["abc.tar.zst"]);
});
