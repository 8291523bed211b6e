import { join } from "node:path";
import { run } from "../../../infra/exec.ts";
import { projectRoot } from "../../../infra/paths.ts";

const SUITE = join(projectRoot, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

/** Runs the public conformance suite. @returns its exit code and what it printed */
export async function conformance(url: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const accept = [0, 1];
  const { code, stdout, stderr } = await run(process.execPath, [SUITE, "server", "--url", url, ...args], {
    accept,
    timeout: 240_000,
  });
  return { code, output: stdout + stderr };
}
