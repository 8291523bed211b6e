import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { onPath } from "../../infra/local/host.ts";
import { withLock } from "../../infra/local/lock.ts";
import { cacheFolder } from "../../infra/paths.ts";

/** Debian 13's: testssl.sh 3.2, aioquic, and a curl with HTTP/3. */
const PACKAGES = ["testssl.sh", "python3-aioquic", "curl", "ca-certificates"];

/**
 * A root filesystem of Debian 13 with the external tools in it, made once (a minute, 200 MB).
 * @returns its path
 */
export async function debianTools(): Promise<string> {
  const folder = cacheFolder("external-tools");
  const path = join(folder, "debian-13");
  return withLock(join(folder, "lock"), async () => {
    if (existsSync(path)) return path;
    const partial = `${path}.partial`;
    await rm(partial, { recursive: true, force: true });
    const options = [
      "--mode=root",
      "--variant=minbase",
      `--include=${PACKAGES.join(",")}`,
      '--aptopt=APT::Install-Recommends "false"',
      "--dpkgopt=path-exclude=/usr/share/doc/*",
    ];
    await run("mmdebstrap", [...options, "trixie", partial], { timeout: 900_000 });
    await rename(partial, path);
    return path;
  });
}

/** Programs of Go by the versions in go/go.mod: h2spec, and a client of quic-go. */
const GO = { h2spec: "github.com/summerwind/h2spec/cmd/h2spec", "quic-go": "." } as const;

/** @returns the path of the compiled program; the compiler itself knows what has changed */
export async function goProgram(name: keyof typeof GO): Promise<string> {
  if (!onPath("go")) throw new Error(`There is no go for ${name}: see https://go.dev/doc/install`);
  const program = join(cacheFolder("external-tools"), name);
  const cwd = join(import.meta.dirname, "go");
  await run("go", ["build", "-o", program, GO[name]], {
    cwd,
    env: { CGO_ENABLED: "0" },
    timeout: 600_000,
  });
  return program;
}
