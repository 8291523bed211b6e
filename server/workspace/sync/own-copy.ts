import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { settingsOf } from "../git/config.ts";

/**
 * A file in `.git` of each copy that the server made. Only such a folder is ever reset or removed. The marker differs from that of
 * cloud-init/deploy/mcp-edge-workspace, which removes its own clones from the same folder.
 */
export const MARKER = "mcp-edge-copy";

/**
 * Removes what a killed git left, and replaces the configuration of the copy by one that names no program. Call it under the lock of the
 * workspace's folder, so that no git is running there.
 *
 * @param url the address of the remote, without credentials
 */
export async function tidy(root: string, url: string): Promise<void> {
  const dotGit = join(root, ".git");
  for (const entry of await readdir(dotGit, { recursive: true, withFileTypes: true })) {
    // No ref can have such a name (git-check-ref-format(1)).
    const lock = entry.isFile() && entry.name.endsWith(".lock");
    const part = entry.name.startsWith("tmp_") && entry.parentPath.startsWith(join(dotGit, "objects"));
    if (lock || part) await rm(join(entry.parentPath, entry.name), { recursive: true, force: true });
  }
  for (const name of ["hooks", "info/attributes", "config.worktree", "gc.pid"])
    await rm(join(dotGit, name), { recursive: true, force: true });
  const formats = (await settingsOf(join(dotGit, "config"), dotGit)).filter(
    ([key, value]) => /^extensions\.(objectformat|refstorage)$/.test(key) && /^[a-z0-9]+$/.test(value),
  );
  const quoted = url.replace(/[\\"]/g, "\\$&");
  const text = [
    "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n",
    `[remote "origin"]\n\turl = "${quoted}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`,
    ...formats.map(([key, value]) => `[extensions]\n\t${key.split(".")[1]} = ${value}\n`),
  ].join("");
  await writeFile(join(dotGit, "config.new"), text);
  await rename(join(dotGit, "config.new"), join(dotGit, "config"));
}
