import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../infra/paths.ts";
import { type CpuProfile, flameGraph, shares } from "./flame.ts";
import { envelopes, measured, served, sessions } from "./server.ts";

/**
 * `node bench/profile.ts`: where the time of a tools/call goes, in both protocol eras: docs/flame-ERA.svg, and by whose code it is.
 */
for (const [era, how] of [
  ["2025-11-25", sessions("echo")],
  ["2026-07-28", envelopes("tools/call", "echo")],
] as const) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-profile-"));
  try {
    const target = await served(
      [
        process.execPath,
        "--cpu-prof",
        `--cpu-prof-dir=${folder}`,
        // A killed process writes no profile.
        "--import=data:text/javascript,process.on('SIGTERM',()=>process.exit())",
        join(import.meta.dirname, "server/echo.ts"),
      ],
      folder,
    );
    await measured(target, how);
    await target.stop();
    const file = (await readdir(folder)).find((name) => name.endsWith(".cpuprofile")) ?? "";
    const profile = JSON.parse(await readFile(join(folder, file), "utf8")) as CpuProfile;
    const title = `tools/call, ${era}: busy time of the server's process, 16 connections, start-up included`;
    await writeFile(join(projectRoot, `docs/flame-${era}.svg`), flameGraph(profile, title));
    console.log(
      era,
      shares(profile)
        .map(([group, share]) => `${group} ${(share * 100).toFixed(0)} %`)
        .join(", "),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
