import { git } from "../../workspace/git.ts";
import type { Repository } from "../../workspace/workspace.ts";

/** Options of each git diff. */
export const FIXED = [
  "--no-color",
  "--no-ext-diff",
  "--no-textconv",
  "--find-renames",
  "--ignore-submodules=all",
];

export interface ChangedFile {
  path: string;
  renamed_from?: string;
  /** Lines; null for a binary file. */
  added: number | null;
  removed: number | null;
}

/** Entries are `added TAB removed TAB path NUL`, for a rename `added TAB removed TAB NUL old NUL new NUL`; "-" means binary. */
export function parseNumstat(text: string): ChangedFile[] {
  const files: ChangedFile[] = [];
  const count = (n: string | undefined) => (n === "-" ? null : Number(n));
  const entries = text.split("\0");
  for (let n = 0; n < entries.length; n++) {
    const parts = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(entries[n] ?? "");
    if (!parts) continue;
    const counts = { added: count(parts[1]), removed: count(parts[2]) };
    if (parts[3]) files.push({ path: parts[3], ...counts });
    else files.push({ path: entries[n + 2] ?? "", renamed_from: entries[n + 1] ?? "", ...counts });
    if (!parts[3]) n += 2;
  }
  return files;
}

interface Sides {
  readonly repo: Repository;
  /** One or two revisions of git diff. */
  readonly range: readonly string[];
  /** Lines around each change. */
  readonly context: number;
}

/** The first line that git writes for a file. Unusual names are quoted there, so they are not found. */
const headerOf = ({ path, renamed_from = path }: ChangedFile) => `diff --git a/${renamed_from} b/${path}`;

/** The patches of files between the same two revisions, without git's header lines. */
export class Patches {
  readonly #sides: Sides;
  readonly #byHeader = new Map<string, string>();

  constructor(sides: Sides) {
    this.#sides = sides;
  }

  /**
   * Reads the patches of several files with one git process, only as far as needed.
   *
   * @param maxChars length of all patches together that is needed
   */
  async read(files: readonly ChangedFile[], maxChars: number, signal: AbortSignal): Promise<void> {
    const needed = files.filter(({ added }) => added !== null);
    if (needed.length === 0) return;
    const text = await this.#diff(needed, maxChars, signal);
    for (const part of text.split(/^(?=diff --git )/m)) {
      const header = part.slice(0, part.indexOf("\n"));
      // A file that became a link has two parts.
      this.#byHeader.set(header, (this.#byHeader.get(header) ?? "") + part);
    }
  }

  /** The patch of one file; "" for a binary file. */
  async of(file: ChangedFile, maxChars: number, signal: AbortSignal): Promise<string> {
    if (file.added === null) return "";
    const text = this.#byHeader.get(headerOf(file)) ?? (await this.#diff([file], maxChars, signal));
    const hunks = text.indexOf("\n@@");
    return hunks === -1 ? "" : text.slice(hunks + 1);
  }

  async #diff(files: readonly ChangedFile[], maxChars: number, signal: AbortSignal): Promise<string> {
    const { repo, range, context } = this.#sides;
    const paths = files.flatMap(({ path, renamed_from }) =>
      renamed_from === undefined ? [path] : [renamed_from, path],
    );
    const args = ["diff", `--unified=${context}`, ...FIXED, ...range, "--", ...paths];
    // A character has at most four bytes, and each file some lines before its first hunk.
    const firstBytes = (maxChars + 10_000) * 4 + paths.length * 2_000;
    return (await git(repo.root, args, signal, { literal: true, firstBytes })).toString("utf8");
  }
}
