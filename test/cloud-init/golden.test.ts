import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { type MachineFile, machineFiles } from "../../cloud-init/machine-files.ts";
import { rolesOf } from "../../cloud-init/topology.ts";
import { AWS_SETTINGS, passthrough, SETTINGS } from "./fixture.ts";

/**
 * The whole content of every file of the machine. After an intended change: UPDATE_GOLDEN=1 npm test -- test/cloud-init/golden,
 * then read the difference in git.
 */
const local = machineFiles(SETTINGS);
const update = process.env.UPDATE_GOLDEN === "1";

/** Only the files that another machine has in addition, or with other content. */
const others = (files: readonly MachineFile[]) =>
  files.filter(({ path, content }) => !local.some((file) => file.path === path && file.content === content));
const aws = others(machineFiles(AWS_SETTINGS));
const edge = others(machineFiles(passthrough("nginx"), rolesOf("passthrough", "edge")));
const origin = others(machineFiles(passthrough("kernel"), rolesOf("passthrough", "origin")));

describe.each([
  ["the machine's files", "golden", local],
  ["a machine's files on AWS", "golden-aws", aws],
  ["the files of an edge that passes connections on", "golden-forwarder", edge],
  ["an origin's files", "golden-origin", origin],
])("%s", (_, folder, files) => {
  const GOLDEN = join(import.meta.dirname, folder);
  if (update) {
    rmSync(GOLDEN, { recursive: true, force: true });
    for (const file of files) {
      mkdirSync(dirname(join(GOLDEN, file.path)), { recursive: true });
      writeFileSync(join(GOLDEN, file.path), file.content);
    }
  }

  test.each(files.map((file) => [file.path, file.content]))("%s", (path, content) => {
    const golden = join(GOLDEN, path);
    expect(existsSync(golden)).toBe(true);
    expect(content).toBe(readFileSync(golden, "utf8"));
  });

  test("has no golden file without a rendered file", () => {
    const entries = readdirSync(GOLDEN, { recursive: true, withFileTypes: true });
    const golden = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(golden.sort()).toEqual(files.map((file) => join(GOLDEN, file.path)).sort());
  });
});
