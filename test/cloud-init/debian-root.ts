import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MachineFile } from "../../cloud-init/machine-files.ts";
import { type RunResult, run } from "../../infra/exec.ts";
import { assertHost, installMissing } from "../../infra/local/host.ts";
import { ensureRootfs } from "../../infra/local/rootfs.ts";
import { cacheFolder } from "../../infra/paths.ts";

/** See `DebianRoot.session`. */
export interface Session {
  /** As `DebianRoot.sh`. */
  sh(script: string): Promise<{ code: number; output: string }>;
  /** The network namespace, for `nsenter --net=`. */
  netns: string;
  close(): Promise<void>;
}

const NAMESPACES = ["--mount", "--pid", "--net", "--fork", "--kill-child"];
const ENV = {
  PATH: "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C.UTF-8",
  SYSTEMD_COLORS: "0",
};

/** @param limit milliseconds, less than the test has, so that the output is reported */
async function inside(
  program: string,
  args: string[],
  limit = 110_000,
): Promise<{ code: number; output: string }> {
  const accept = Array.from({ length: 256 }, (_, code) => code);
  const result: RunResult = await run(program, args, { accept, env: ENV, timeout: limit });
  return { code: result.code, output: result.stdout + result.stderr };
}

/** Why this host cannot run the validators, or undefined. They are Debian 13's own, so they run inside its root filesystem. */
export function whyNot(): string | undefined {
  try {
    assertHost();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A machine with a certificate to start with, and these programs of this folder as `/NAME`. The caller removes it. */
export async function rootWithPrograms(
  files: readonly MachineFile[],
  ...programs: string[]
): Promise<DebianRoot> {
  const root = await DebianRoot.create(files);
  for (const name of programs) root.write(`/${name}`, readFileSync(join(import.meta.dirname, name)));
  await root.sh("mcp-edge-cert bootstrap");
  return root;
}

/**
 * Debian 13 with the machine's files in it, on an overlay over the cached root filesystem, which stays as it is. Each
 * command gets its own mount, PID and network namespace, so all mounts disappear with the process.
 */
export class DebianRoot {
  readonly folder: string;
  readonly #lower: string;

  private constructor(lower: string) {
    this.#lower = lower;
    this.folder = mkdtempSync(join(cacheFolder("validators"), "root-"));
    for (const name of ["upper", "work", "root"]) mkdirSync(join(this.folder, name));
  }

  static async create(files: readonly MachineFile[]): Promise<DebianRoot> {
    await installMissing(console.log);
    const root = new DebianRoot((await ensureRootfs(console.log)).path);
    for (const file of files) root.write(file.path, file.content, Number.parseInt(file.mode, 8));
    await root.sh("systemd-sysusers && systemd-tmpfiles --create mcp-edge.conf");
    return root;
  }

  write(path: string, content: string | Buffer, mode = 0o644): void {
    const target = join(this.folder, "upper", path);
    mkdirSync(dirname(target), { recursive: true });
    rmSync(target, { force: true }); // the overlay marks a removed file by a device of its name
    writeFileSync(target, content, { mode });
  }

  /** Runs a shell script inside; standard error is appended to standard output. Never throws because of an exit code. */
  async sh(script: string, limit?: number): Promise<{ code: number; output: string }> {
    return inside("unshare", [...NAMESPACES, ...this.#enter(), `exec 2>&1\n${script}`], limit);
  }

  /**
   * Namespaces that last over several scripts, so that what one script starts serves the next. A program that stays must not keep the
   * script's standard output. The caller closes the session before it removes the root.
   */
  async session(): Promise<Session> {
    // bash, not sleep, as the first process: it reaps what the scripts leave behind.
    const stays = "trap exit TERM; ip link set lo up; echo ready; while :; do sleep 3600 & wait $!; done";
    const child = spawn("unshare", [...NAMESPACES, ...this.#enter(), stays], {
      env: ENV,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    const first = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
    const join = ["-t", first, "--mount", "--pid", "--net", "--root", "--wdns=/"];
    return {
      sh: (script) => inside("nsenter", [...join, "/bin/bash", "-c", `exec 2>&1\n${script}`]),
      netns: `/proc/${first}/ns/net`,
      close: async () => {
        if (child.exitCode !== null) return;
        const exit = once(child, "exit");
        // unshare ends after it, and it after all others in its namespace: none of them writes below the root any more.
        process.kill(Number(first), "SIGTERM");
        await exit;
      },
    };
  }

  /** What the first process of the namespaces runs; a script follows. */
  #enter(): string[] {
    const mounts = [
      `mount -t overlay overlay -o 'lowerdir=${this.#lower},upperdir=${this.folder}/upper,workdir=${this.folder}/work' '${this.folder}/root'`,
      `cd '${this.folder}/root'`,
      "mount -t proc proc proc",
      "mount --rbind /dev dev",
      "mount -t tmpfs tmpfs run",
      "mkdir -p run/lock run/nginx",
      'exec chroot . /bin/bash -c "$1" bash',
    ];
    return ["sh", "-ec", mounts.join("\n"), "sh"];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
