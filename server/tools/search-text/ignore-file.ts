import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** If there are more files, whole folders are included, with whatever else they contain. */
const MAX_LISTED = 1_000;

/**
 * Calls `use` with a file for `rg --ignore-file` that includes only the given paths, and removes the file afterwards. Globs on the
 * command line, and a very long list of paths, include more: the caller must compare the matches with the paths.
 *
 * @param paths relative to the folder in which ripgrep runs
 */
export async function withIgnoreFile<T>(
  paths: ReadonlySet<string>,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-search-"));
  try {
    const file = join(folder, "ignore");
    await writeFile(file, ignoreRules(paths), { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rules of gitignore(5) that ignore everything but the paths and the folders above them. */
function ignoreRules(paths: ReadonlySet<string>): string {
  const lines = ["/*"];
  const folders = new Set<string>();
  const enter = (folder: string): void => {
    if (folder === "." || folders.has(folder)) return;
    enter(dirname(folder));
    folders.add(folder);
    lines.push(`!/${literal(folder)}/`, `/${literal(folder)}/*`);
  };
  for (const path of paths) enter(dirname(path));
  const listed = paths.size <= MAX_LISTED;
  const whole = new Set<string>();
  for (const path of paths) {
    const folder = dirname(path);
    if (listed || folder === ".") lines.push(`!/${literal(path)}`);
    else whole.add(folder);
  }
  for (const folder of whole) lines.push(`!/${literal(folder)}/*`);
  return `${lines.filter((line) => !/[\r\n]/.test(line)).join("\n")}\n`;
}

const literal = (path: string) => path.replace(/[\\*?[\]{}!# ]/g, "\\$&");
