import { readFile } from "node:fs/promises";
import { join } from "node:path";

const HASH = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

export interface Head {
  /** The ref that HEAD names: `refs/heads/main`. Undefined if HEAD is detached, or where only git knows. */
  readonly ref: string | undefined;
  /** The branch that is checked out, "" if HEAD is detached; undefined where only git knows (refs in reftables). */
  readonly branch: string | undefined;
  /** The commit that is checked out, "" if there is none; undefined where only git knows (reftables, references to references). */
  readonly commit: string | undefined;
}

/**
 * What is checked out, read without a process.
 *
 * @param packed the text of the file packed-refs
 */
export async function readHead(gitDir: string, commonDir: string, packed: string): Promise<Head> {
  const head = await textOf(join(gitDir, "HEAD"));
  if (HASH.test(head)) return { ref: undefined, branch: "", commit: head };
  const ref = /^ref: (refs\/[^\0\n]+)$/.exec(head)?.[1];
  // With reftables the file HEAD has a placeholder.
  if (ref === undefined || ref === "refs/heads/.invalid" || ref.split("/").includes(".."))
    return { ref: undefined, branch: undefined, commit: undefined };
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1] ?? "";
  const loose = await textOf(join(commonDir, ref));
  if (loose !== "") return { ref, branch, commit: HASH.test(loose) ? loose : undefined };
  const line = packed.split("\n").find((entry) => entry.endsWith(` ${ref}`));
  return { ref, branch, commit: line?.split(" ")[0] ?? "" };
}

/** The text of a file without the blanks around it; "" if it cannot be read. */
export async function textOf(file: string): Promise<string> {
  return (await readFile(file, "utf8").catch(() => "")).trim();
}
