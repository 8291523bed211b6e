import { execa } from "execa";

/** A command on the host failed: what ran, how it ended, and the end of its output. */
export class CommandError extends Error {
  override name = "CommandError";
}

export interface RunOptions {
  /** Milliseconds; default 60,000. */
  timeout?: number;
  input?: string | Buffer;
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** Exit codes that are no failure; default [0]. */
  accept?: number[];
  /** What a failure names, where that isn't the program that runs, such as the command that ssh runs elsewhere. */
  shownAs?: string;
  /** Gets each line of standard output and error as it comes. */
  onLine?: (line: string) => void;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Run one program of the host: argument vector, never a shell; always with a limit.
 * @throws CommandError with the command, the reason and the last 15 lines of its output.
 */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeout = 60_000, accept = [0], shownAs = [command, ...args].join(" "), onLine, ...rest } = options;
  const child = execa(command, args, {
    timeout,
    reject: false,
    all: true,
    stdin: options.input === undefined ? "ignore" : "pipe",
    ...(rest.input === undefined ? {} : { input: rest.input }),
    ...(rest.cwd === undefined ? {} : { cwd: rest.cwd }),
    ...(rest.env === undefined ? {} : { env: rest.env }),
  });
  if (onLine) {
    let rest = "";
    child.all?.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split(/\r?\n|\r/);
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim()) onLine(line);
    });
  }
  const result = await child;
  const code = result.exitCode ?? -1;
  if (!accept.includes(code)) {
    const why = result.timedOut
      ? `did not end within ${timeout / 1000} s`
      : result.exitCode === undefined
        ? (result.shortMessage ?? "did not start")
        : `ended with exit code ${code}`;
    const output = String(result.all ?? "")
      .trimEnd()
      .split("\n")
      .slice(-15)
      .join("\n  ");
    throw new CommandError(`${shownAs.slice(0, 300)}: ${why}${output ? `\n  ${output}` : ""}`);
  }
  return { code, stdout: String(result.stdout ?? ""), stderr: String(result.stderr ?? "") };
}

/** Run a command. @returns whether it succeeded */
export async function succeeds(command: string, args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/**
 * Call `probe` until it returns something, for at most `limit` ms.
 * @returns the probe's result, or undefined after the limit.
 */
export async function poll<T>(
  limit: number,
  probe: () => Promise<T | undefined>,
  every = 200,
): Promise<T | undefined> {
  const end = Date.now() + limit;
  for (;;) {
    const got = await probe();
    if (got !== undefined) return got;
    if (Date.now() + every > end) return undefined;
    await sleep(every);
  }
}
