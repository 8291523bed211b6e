import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { onPath } from "../../infra/local/host.ts";
import { ENGINE_VERSION } from "./find.ts";

const MODULE = "github.com/pulumi/pulumi/pkg/v3";

export const canBuild = () => onPath("go");

/**
 * Builds the engine from its Go module through a wrapper module, since `go install pkg@version` refuses a module whose
 * go.mod has replace directives. This takes about seven minutes on two cores, once.
 * @throws Error when Go fails, with the end of its output
 */
export async function buildEngine(folder: string, log: (line: string) => void): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "mcp-edge-engine-"));
  try {
    await writeFile(join(work, "go.mod"), "module mcp-edge.local/engine\n\ngo 1.25\n");
    // A blank import keeps the command's package, and what it needs, in the wrapper's module graph.
    await writeFile(
      join(work, "tools.go"),
      `//go:build tools\n\npackage tools\n\nimport _ "${MODULE}/cmd/pulumi"\n`,
    );
    const env = { CGO_ENABLED: "0", GOFLAGS: "-mod=mod", GOTOOLCHAIN: "auto" };
    const go = (...args: string[]) =>
      run("go", args, { cwd: work, env, timeout: 1_800_000, onLine: goProgress(log) });
    log(`fetching ${MODULE} v${ENGINE_VERSION}`);
    await go("get", `${MODULE}/cmd/pulumi@v${ENGINE_VERSION}`);
    log("compiling (about seven minutes on two cores, once)");
    const version = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${ENGINE_VERSION}`;
    await mkdir(folder, { recursive: true });
    const output = join(work, "pulumi");
    await go(
      "build",
      "-v",
      "-trimpath",
      "-ldflags",
      `-s -w ${version}`,
      "-o",
      output,
      `${MODULE}/cmd/pulumi`,
    );
    await run("cp", [output, join(folder, "pulumi.partial")]);
    await rename(join(folder, "pulumi.partial"), join(folder, "pulumi"));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Go prints only the packages that it compiles (`-v`). They are counted, and one a second is shown. */
function goProgress(log: (line: string) => void): (line: string) => void {
  let packages = 0;
  let told = Date.now();
  return (line) => {
    packages += 1;
    if (Date.now() - told < 1_000) return;
    told = Date.now();
    log(line.startsWith("go: ") ? line.slice(4) : `${packages} packages compiled, now ${line}`);
  };
}
