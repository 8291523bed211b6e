import { git } from "../../workspace/git.ts";
import { isBelow } from "../../workspace/paths.ts";
import { nearestNames } from "../../workspace/refs.ts";
import type { Repository } from "../../workspace/workspace.ts";

interface Searched {
  readonly repo: Repository;
  /** The files that are served. */
  readonly files: Iterable<string>;
  /** The folder that was searched; "" for all. */
  readonly folder: string;
}

/** Why a folder has no files to search; "" if it has some. */
export async function whyNoFiles({ repo, files, folder }: Searched, signal: AbortSignal): Promise<string> {
  for (const file of files) if (isBelow(file, folder)) return "";
  if (folder === "") return "The repository has no files that git tracks or would track.";
  const at = JSON.stringify(folder);
  const submodule = await git(repo.root, ["ls-files", "--stage", "-z", "--", folder], signal, {
    literal: true,
  });
  if (/^160000 /m.test(submodule.toString())) return `${at} is a submodule. Submodules are not served.`;
  if (await isIgnored(repo, folder, signal)) return `${at} is ignored by git. Ignored files are not served.`;
  return `${at} has no files that git tracks or would track.`;
}

async function isIgnored(repo: Repository, path: string, signal: AbortSignal): Promise<boolean> {
  const ignored = [
    "ls-files",
    "-z",
    "--others",
    "--ignored",
    "--exclude-standard",
    "--directory",
    "--",
    path,
  ];
  return (await git(repo.root, ignored, signal, { literal: true })).length > 0;
}

/** Whether files were left out because git ignores them. Their names are not told. */
export async function ignoredNote(repo: Repository, folder: string, signal: AbortSignal): Promise<string> {
  return (await isIgnored(repo, folder === "" ? "." : folder, signal))
    ? "Files that git ignores are not served and were not searched."
    : "";
}

/** Why no file has a name like the requested one, and the nearest names. */
export function nearestFiles(files: Iterable<string>, folder: string, asked: string): string {
  const all = [...files];
  const name = asked.split("/").at(-1) ?? asked;
  const same = (file: string) => file.split("/").at(-1)?.toLowerCase() === name.toLowerCase();
  const outside = folder === "" ? [] : all.filter((file) => !isBelow(file, folder) && same(file));
  if (outside.length > 0) return `Outside of ${JSON.stringify(folder)}: ${outside.slice(0, 5).join(", ")}.`;
  const within = all.filter((file) => isBelow(file, folder));
  const names = nearestNames(
    within.map((file) => file.split("/").at(-1) ?? ""),
    name,
  );
  const near = names.flatMap((one) =>
    within.filter((file) => file === one || file.endsWith(`/${one}`)).slice(0, 2),
  );
  return near.length === 0 ? "" : `Similar names: ${near.slice(0, 5).join(", ")}.`;
}

/** A note from its parts, without those that say nothing; no field if none does. */
export function noteOf(...parts: readonly (string | undefined)[]): { note?: string } {
  const said = parts.filter((part) => part !== undefined && part !== "");
  return said.length === 0 ? {} : { note: said.join(" ") };
}
