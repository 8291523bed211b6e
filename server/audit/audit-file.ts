import { type FileHandle, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { AUDIT_FILE, type AuditEvent, type FileLink, lineHash, NO_LINE, type Tip, tipOf } from "./record.ts";

/** Records that are hashed at once: more would hold up the requests of a busy server. */
const SLICE = 256;

/** The files of a folder, the oldest first. @returns none for a folder that does not exist */
export async function auditFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.filter((name) => AUDIT_FILE.test(name)).sort();
}

/** One file that this process alone appends to. Calls must not overlap. */
export class AuditFile {
  readonly name: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  #bytes = 0;
  #tip: Tip = { lines: 0, hash: NO_LINE };

  private constructor(path: string, name: string, handle: FileHandle) {
    this.#path = path;
    this.name = name;
    this.#handle = handle;
  }

  /**
   * Makes a file whose name sorts after all others of the folder.
   *
   * @param writer 8 hexadecimal digits
   */
  static async create(dir: string, writer: string, previous: FileLink | undefined): Promise<AuditFile> {
    const newest = (await auditFiles(dir)).at(-1);
    // The clock may have been set back.
    const name = nameOf(Math.max(Date.now(), newest === undefined ? 0 : timeOf(newest) + 1), writer);
    const path = join(dir, name);
    const file = new AuditFile(path, name, await open(path, "ax", 0o600));
    const head = { type: "head", at: new Date().toISOString(), writer, ...(previous ? { previous } : {}) };
    try {
      await file.append([head]);
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw error;
    }
    return file;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What the next file links to. */
  get link(): FileLink {
    return { file: this.name, ...this.#tip };
  }

  /** Appends all events or, where it throws, none. */
  async append(events: readonly AuditEvent[]): Promise<void> {
    let { lines, hash } = this.#tip;
    let text = "";
    for (const [n, event] of events.entries()) {
      if (n % SLICE === SLICE - 1) await setImmediate();
      // The event has a type, so it is not empty.
      const line = `{"n":${++lines},"prev":"${hash}",${JSON.stringify(event).slice(1)}`;
      hash = lineHash(line);
      text += `${line}\n`;
    }
    const bytes = Buffer.from(text);
    try {
      await this.#handle.appendFile(bytes);
      await this.#handle.datasync();
    } catch (error) {
      // A full disk may have taken half a line.
      await this.#handle.truncate(this.#bytes);
      throw error;
    }
    this.#bytes += bytes.length;
    this.#tip = { lines, hash };
    // The lines are there; without its tip only a later loss of the last ones would go unnoticed.
    await writeTip(this.#path, this.#tip).catch(() => undefined);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function writeTip(path: string, tip: Tip): Promise<void> {
  const next = `${tipOf(path)}.new`;
  await writeFile(next, JSON.stringify(tip), { mode: 0o600 });
  await rename(next, tipOf(path));
}

/** The link to the newest file of a folder, for a process that starts. */
export async function newestLink(dir: string): Promise<FileLink | undefined> {
  const file = (await auditFiles(dir)).at(-1);
  if (file === undefined) return undefined;
  // Its own writer may append meanwhile: only whole lines count.
  const lines = (await readFile(join(dir, file), "utf8")).split("\n").slice(0, -1);
  return { file, lines: lines.length, hash: lines.length > 0 ? lineHash(lines.at(-1) ?? "") : NO_LINE };
}

const nameOf = (at: number, writer: string) =>
  `audit-${new Date(at).toISOString().replace(/[-:.]/g, "")}-${writer}.jsonl`;

function timeOf(name: string): number {
  const [, year, month, day, hour, minute, second, ms] =
    /^audit-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z/.exec(name) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
}
