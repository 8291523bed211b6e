import { access } from "node:fs/promises";
import { runGit } from "./run.ts";

/** Time limit for reading a configuration file, milliseconds. */
const TIME_LIMIT_MS = 10_000;

/** Name and value of a setting, such as `["core.eol", "lf"]`. */
export type Setting = readonly [string, string];

const boolean = /^(|true|false|yes|no|on|off|1|0)$/i;

/**
 * The settings that a view copies from the repository, with the values that they may have: how objects and refs are stored, and how the
 * work tree is compared with them. None of them names a program or a file.
 */
const COPIED: Readonly<Record<string, RegExp>> = {
  "extensions.objectformat": /^(sha1|sha256)$/i,
  "extensions.refstorage": /^(files|reftable)$/i,
  "core.autocrlf": /^(|true|false|yes|no|on|off|1|0|input)$/i,
  "core.checkstat": /^(default|minimal)$/i,
  "core.eol": /^(lf|crlf|native)$/i,
  "core.filemode": boolean,
  "core.ignorecase": boolean,
  "core.precomposeunicode": boolean,
  "core.sparsecheckout": boolean,
  "core.sparsecheckoutcone": boolean,
  "core.symlinks": boolean,
  "core.trustctime": boolean,
};

/** The settings of each view: those that the commands need, and those that also disable each way to a program or a network. */
const FIXED: readonly Setting[] = [
  ["core.repositoryformatversion", "1"],
  ["core.bare", "false"],
  ["core.fsmonitor", "false"],
  ["core.hookspath", "/dev/null"],
  ["core.quotepath", "false"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["protocol.allow", "never"],
];

/**
 * Reads the settings of a configuration file in their order, without those of included files, which may be any file on this machine.
 * `git config --file` reads the file and runs no program.
 *
 * @returns no settings if there is no such file
 */
export async function settingsOf(file: string, cwd: string): Promise<Setting[]> {
  const exists = await access(file).then(
    () => true,
    ({ code }) => code !== "ENOENT" && code !== "ENOTDIR",
  );
  if (!exists) return [];
  const args = ["config", "--file", file, "--no-includes", "--null", "--list"];
  // /dev/null is not a repository, and git searches for no other.
  const env = { GIT_DIR: "/dev/null" };
  const listing = await runGit(args, { cwd, env, timeoutMs: TIME_LIMIT_MS, maxBytes: 1024 * 1024 });
  return listing
    .toString("utf8")
    .split("\0")
    .flatMap((entry): Setting[] => {
      const end = entry.indexOf("\n");
      if (entry === "") return [];
      // A name without a value means true (git-config(1)).
      return [end === -1 ? [entry, "true"] : [entry.slice(0, end), entry.slice(end + 1)]];
    });
}

/** The configuration file of a view of a repository with these settings. */
export function viewConfig(settings: readonly Setting[]): string {
  const copied = settings.filter(([key, value]) => COPIED[key]?.test(value));
  // The last setting with a name takes precedence.
  return [...new Map([...copied, ...FIXED])]
    .map(([key, value]) => {
      const [section = "", name = ""] = key.split(".");
      return `[${section}]\n\t${name} = ${value}\n`;
    })
    .join("");
}
