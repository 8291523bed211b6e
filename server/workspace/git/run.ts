import { ToolError } from "../../tool-error.ts";
import { type ChildResult, runChild } from "../child.ts";
import { GIT_BASE_ENV } from "./environment.ts";

export interface GitRun {
  cwd: string;
  /** Variables in addition to those above. */
  env?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Largest output, bytes. Default: 64 MiB. */
  maxBytes?: number;
  /** Reads only about the first so many bytes of the output, and ends git after them. Default: all. */
  firstBytes?: number | undefined;
  /** Receives stderr piece by piece. */
  onStderr?: ((text: string) => void) | undefined;
  /** What git reads from stdin. */
  input?: string | undefined;
  /** Exit codes that are no failure. Default: 0. */
  exitCodes?: readonly number[] | undefined;
}

/**
 * Runs git. Each git process of the server is started here.
 *
 * @returns its output
 * @throws ToolError with the message of git, without credentials; the reason of the signal if that is aborted
 */
export async function runGit(args: readonly string[], options: GitRun): Promise<Buffer> {
  const { firstBytes, env, exitCodes = [0], ...rest } = options;
  const pieces: Buffer[] = [];
  let bytes = 0;
  const onChunk = (chunk: Buffer) => {
    pieces.push(chunk);
    bytes += chunk.length;
    return bytes < (firstBytes ?? 0);
  };
  const result = await runChild("git", args, {
    ...rest,
    env: { ...GIT_BASE_ENV, ...env },
    ...(firstBytes === undefined ? {} : { onChunk }),
  });
  options.signal?.throwIfAborted();
  const command = `git ${args[0] === "-C" ? args[2] : args[0]}`;
  if (result.stopped === "enough") return Buffer.concat(pieces);
  if (result.stopped)
    throw new ToolError(`${command} was stopped: ${whyStopped(result.stopped, options.timeoutMs)}`);
  if (!exitCodes.includes(result.code ?? -1)) throw new ToolError(`${command} failed: ${messageOf(result)}`);
  return firstBytes === undefined ? result.stdout : Buffer.concat(pieces);
}

function whyStopped(stopped: "timeout" | "abort" | "too-much", timeoutMs: number): string {
  if (stopped === "timeout") return `it took longer than ${timeoutMs / 1_000} s`;
  return stopped === "abort" ? "the call was cancelled" : "its output is too long; name a folder or a glob";
}

/** The error lines of git, without credentials in addresses. Progress and hints come before and after them. */
function messageOf({ stderr, code }: ChildResult): string {
  const lines = stderr.trim().split(/[\r\n]+/);
  const errors = lines.filter((line) => /^(fatal|error|remote):/.test(line)).slice(-2);
  const message = (errors.length > 0 ? errors.join("; ") : (lines.at(-1) ?? ""))
    .replace(/\/\/[^/@\s]*@/g, "//…@")
    .slice(0, 500);
  return message || `exit code ${code}`;
}
