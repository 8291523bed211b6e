import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../infra/paths.ts";
import { type CpuProfile, flameGraph, shares } from "./flame.ts";
import type { Loading } from "./server/load-types.ts";
import { envelopes, sessions } from "./server/loads.ts";
import { sent, served, withFolder } from "./server/served.ts";

/**
 * `node bench/profile.ts`: where the time of a `tools/call` goes, in both protocol eras: docs/flame-ERA.svg, and by whose code it is.
 *
 * `--before CHECKOUT` does the same for another checkout of this repository, whose packages are installed, and writes
 * docs/flame-ERA-before.svg. The requests come from this one. The rewrite of the request path is compared with commit 9940a55:
 *
 *     git worktree add ../before 9940a55 && (cd ../before && npm ci) && node bench/profile.ts --before ../before
 */
const { values } = parseArgs({ options: { before: { type: "string" } } });
const root = values.before === undefined ? projectRoot : resolve(values.before);
/** A server of that commit reports no token, so it runs without any, and without a name of its own. */
const variables = values.before === undefined ? {} : { AUTH_MODE: "none", PUBLIC_URL: undefined };

/** Seconds: until V8 has compiled all code of a call, and of the profile. */
const WARM_UP = 15;
const SECONDS = 10;

const ERAS: [string, Loading][] = [
  ["2025-11-25", sessions("echo")],
  ["2026-07-28", envelopes("tools/call", "echo")],
];
for (const [era, loading] of ERAS)
  await withFolder(async (folder) => {
    const file = join(folder, "profile.json");
    const command = [
      process.execPath,
      "--import",
      join(import.meta.dirname, "server/profiled.ts"),
      join(root, "bench/server/echo.ts"),
    ];
    const target = await served(command, folder, { ...variables, PROFILE_FILE: file });
    try {
      const load = await loading(target);
      await sent({ ...load, seconds: WARM_UP });
      process.kill(target.pid, "SIGUSR2");
      const { rate, failed } = await sent({ ...load, seconds: SECONDS });
      process.kill(target.pid, "SIGUSR2");
      if (failed > 0 || rate === 0) throw new Error(`${era}: ${failed} calls failed`);
      while (!existsSync(file)) await new Promise((done) => setTimeout(done, 100));
    } finally {
      await target.stop();
    }
    const profile = JSON.parse(await readFile(file, "utf8")) as CpuProfile;
    const title = `tools/call, ${era}: busy time of the server's process, 16 connections`;
    const name = `flame-${era}${values.before === undefined ? "" : "-before"}.svg`;
    await writeFile(join(projectRoot, "docs", name), flameGraph(profile, title));
    const groups = shares(profile).map(([group, share]) => `${group} ${(share * 100).toFixed(0)} %`);
    console.log(`${era}: ${groups.join(", ")}`);
  });
