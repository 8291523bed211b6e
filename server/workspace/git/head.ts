import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { viewOf } from "./view.ts";

const HASH = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * The commit that is checked out, read without a process.
 *
 * @param root absolute path of the work tree
 * @returns "" in a repository without commits; undefined where only git knows (refs in reftables, references to references)
 */
export async function readHead(root: string): Promise<string | undefined> {
  const { env } = await viewOf(root);
  const [gitDir = "", commonDir = ""] = [env.GIT_DIR, env.GIT_COMMON_DIR];
  const head = await textOf(join(gitDir, "HEAD"));
  if (HASH.test(head)) return head;
  const ref = /^ref: (refs\/[^\0\n]+)$/.exec(head)?.[1];
  if (ref === undefined || ref === "refs/heads/.invalid" || ref.split("/").includes("..")) return undefined;
  const loose = await textOf(join(commonDir, ref));
  if (loose !== "") return HASH.test(loose) ? loose : undefined;
  const packed = await textOf(join(commonDir, "packed-refs"));
  const line = packed.split("\n").find((entry) => entry.endsWith(` ${ref}`));
  return line?.split(" ")[0] ?? "";
}

/** The branch that is checked out, read without a process; "" if HEAD is detached. */
export async function readBranch(root: string): Promise<string> {
  const { env } = await viewOf(root);
  return /^ref: refs\/heads\/(.+)$/.exec(await textOf(join(env.GIT_DIR ?? "", "HEAD")))?.[1] ?? "";
}

const textOf = async (file: string) => (await readFile(file, "utf8").catch(() => "")).trim();
