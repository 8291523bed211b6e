import { runGit } from "../git/run.ts";
import type { Credential } from "./settings.ts";

/** Time limit of a git command, milliseconds: a first clone over a slow line. */
const TIME_LIMIT_MS = 30 * 60_000;

const PERCENT = /(?:Receiving objects|Resolving deltas|Updating files): +(\d+)%/g;

/** Runs git with access to remotes. A remote repository runs no program here, and git shows no prompts. */
export async function remoteGit(
  cwd: string,
  args: readonly string[],
  { credentials, signal }: { credentials: readonly Credential[]; signal: AbortSignal },
  onPercent?: (percent: number) => void,
): Promise<string> {
  const output = await runGit(args, {
    cwd,
    env: environment(credentials),
    timeoutMs: TIME_LIMIT_MS,
    signal,
    onStderr: (text) => {
      const percent = [...text.matchAll(PERCENT)].at(-1);
      if (percent) onPercent?.(Number(percent[1]));
    },
  });
  return output.toString();
}

/** Credentials are in the environment, which other accounts cannot read as they can read a command line. */
function environment(credentials: readonly Credential[]): Record<string, string> {
  const settings: [string, string][] = [
    // A remote that is a folder may belong to another account. It runs nothing here either.
    ["safe.directory", "*"],
    ["core.hooksPath", "/dev/null"],
    ["core.fsmonitor", "false"],
    ["credential.helper", ""],
    ["gc.autoDetach", "false"],
    ["advice.detachedHead", "false"],
    ["http.lowSpeedLimit", "1000"],
    ["http.lowSpeedTime", "60"],
    // A redirect to another host would send the header there.
    ...(credentials.length > 0 ? [["http.followRedirects", "false"] as [string, string]] : []),
    ...credentials.map(({ origin, authorization }): [string, string] => [
      `http.${origin}/.extraHeader`,
      `Authorization: ${authorization}`,
    ]),
  ];
  return {
    GIT_ALLOW_PROTOCOL: "https:http:ssh:git:file",
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], n) => [
        [`GIT_CONFIG_KEY_${n}`, key],
        [`GIT_CONFIG_VALUE_${n}`, value],
      ]),
    ),
  };
}
