import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { cacheFolder } from "../../infra/paths.ts";

/** Findings that do not hold here, each with its reason. */
const NOT_HERE = [
  "quic_bpf_reuseport", // on keeps clients that change their port; worker_shutdown_timeout bounds what a reload costs
  "ssl_ecdh_curve", // Debian 13's OpenSSL 3.5 has X25519MLKEM768: `nginx -t` above checks it
  "worker_rlimit_nofile_vs_connections", // LimitNOFILE= in the unit's drop-in
];

const VERSION = "gixy-ng==0.2.59";

/**
 * What gixy (a security linter for NGINX) finds in a whole configuration, as `nginx -T` prints it. gixy comes from PyPI,
 * once, into the cache.
 *
 * @throws Error when there is no Python 3 with venv, or PyPI is not reachable and CI is `true`.
 */
export async function gixy(configuration: string): Promise<string[]> {
  const folder = join(cacheFolder("gixy"), VERSION);
  const program = join(folder, "bin/gixy");
  try {
    if (!existsSync(program)) {
      await run("python3", ["-m", "venv", folder]);
      await run(join(folder, "bin/pip"), ["install", "--quiet", VERSION], { timeout: 100_000 });
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (process.env.CI === "true") throw error;
    console.warn(`gixy could not be installed, so it checked nothing: ${(error as Error).message}`);
    return [];
  }
  const { stdout } = await run(program, ["--format", "json", "--skips", NOT_HERE.join(","), "-"], {
    input: configuration,
    accept: [0, 1],
  });
  const findings: { plugin: string; summary: string; config?: string }[] = JSON.parse(stdout);
  return findings.map((finding) => `${finding.plugin}: ${finding.summary}\n${finding.config ?? ""}`);
}
