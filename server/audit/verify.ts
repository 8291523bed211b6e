import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { auditFiles } from "./audit-file.ts";
import {
  type AuditRecord,
  type FileLink,
  type HeadEvent,
  lineHash,
  NO_LINE,
  type Tip,
  tipOf,
} from "./record.ts";

/** What is wrong first, and where. */
export interface BrokenLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly problem: string;
}

export interface Verification {
  readonly files: number;
  readonly records: number;
  /** undefined: every line is as it was written. */
  readonly broken: BrokenLine | undefined;
  /** How much each file has: the anchor of a later check. Only where nothing is broken. */
  readonly tips: readonly FileLink[];
}

/** How long the rest of a line may take that a running server is writing, milliseconds. */
const LINE_MS = 500;

/**
 * Checks every line, the links between files, and what was written for sure. Lines that a running server adds meanwhile do no harm. An
 * intruder with the server's account can write a whole new chain. An anchor that is kept elsewhere shows that.
 *
 * @param anchor the `tips` of an earlier check; those of files that were removed in time do not count
 * @throws when the folder cannot be read
 */
export async function verifyAudit(dir: string, anchor: readonly FileLink[] = []): Promise<Verification> {
  const files = await auditFiles(dir);
  const links = new Map<string, FileLink[]>();
  let records = 0;
  const broken = (file: string, line: number, problem: string): Verification => ({
    files: files.length,
    records,
    broken: { file, line, problem },
    tips: [],
  });
  const oldest = files[0] ?? "";
  for (const link of anchor.filter(({ file }) => file >= oldest)) {
    if (!files.includes(link.file)) return broken(link.file, 1, "the file is in the anchor, and is missing");
    links.set(link.file, [...(links.get(link.file) ?? []), link]);
  }
  if (anchor.length > 0 && links.size === 0)
    return broken(oldest, 1, "no file of the anchor is left: the log was replaced, or the anchor is too old");

  // A file links to an older one, and is read after it.
  for (const file of files) {
    const { previous } = (parsed((await linesOf(dir, file)).lines[0] ?? "") ?? {}) as Partial<HeadEvent>;
    if (!previous) continue;
    links.set(previous.file, [...(links.get(previous.file) ?? []), previous]);
    // The oldest files are removed in time, never one between others.
    if (!files.includes(previous.file) && previous.file >= oldest)
      return broken(file, 1, `it follows ${previous.file}, which is missing`);
  }
  const tips: FileLink[] = [];
  for (const file of files) {
    const { lines, rest, tip } = await linesOf(dir, file);
    const { hashes, problem } = checkLines(lines);
    records += hashes.length;
    if (problem) return broken(file, problem.line, problem.text);
    for (const link of [...(tip ? [tip] : []), ...(links.get(file) ?? [])]) {
      if (hashes.length < link.lines)
        return broken(file, hashes.length + 1, `it is missing: the file had ${link.lines} lines`);
      if (link.lines > 0 && hashes[link.lines - 1] !== link.hash)
        return broken(file, link.lines, "the line was changed");
    }
    if (rest !== "") return broken(file, lines.length + 1, "the end of the line is missing");
    tips.push({ file, lines: hashes.length, hash: hashes.at(-1) ?? NO_LINE });
  }
  return { files: files.length, records, broken: undefined, tips };
}

/** The whole lines of a file, what follows them, and what was written for sure. */
async function linesOf(dir: string, file: string) {
  const path = join(dir, file);
  // First the tip: a running server adds lines.
  const tip = await readFile(tipOf(path), "utf8").then(
    (text) => JSON.parse(text) as Tip,
    () => undefined,
  );
  let text = await readFile(path, "utf8");
  if (!text.endsWith("\n")) {
    await wait(LINE_MS);
    text = await readFile(path, "utf8");
  }
  const lines = text.split("\n");
  const rest = lines.pop() ?? "";
  return { lines, rest, tip };
}

function checkLines(lines: readonly string[]) {
  const hashes: string[] = [];
  const problemAt = (line: number, text: string) => ({ hashes, problem: { line, text } });
  if (lines.length === 0) return problemAt(1, "the file is empty");
  for (const [at, line] of lines.entries()) {
    const record = parsed(line);
    if (!record) return problemAt(at + 1, "the line is not a JSON object");
    if (record.n !== at + 1)
      return problemAt(at + 1, `it has the number ${record.n}: lines were removed or moved`);
    if (record.prev !== (hashes.at(-1) ?? NO_LINE))
      return problemAt(Math.max(1, at), "the line was changed: the next one has another hash of it");
    if ((record.type === "head") !== (at === 0))
      return problemAt(at + 1, "a head is the first line, and only that");
    hashes.push(lineHash(line));
  }
  return { hashes, problem: undefined };
}

/** The record of a line; undefined for other text. */
export function parsed(line: string): AuditRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as AuditRecord) : undefined;
  } catch {
    return undefined;
  }
}
