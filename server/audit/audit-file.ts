import { type FileHandle, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { AUDIT_FILE, type FileLink, lineHash, NO_LINE, type Tip, tipOf } from "./record.ts";
import { recordsOf, type TakenRecords, WaitingRecords } from "./waiting-records.ts";

/** Records that are hashed at once: more would hold up the requests of a busy server. */
const SLICE = 256;
/** The most that a line has besides its record, bytes: its number, the hash of the line before, the line break. */
const CHAIN_BYTES = 110;

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
  #memory: Buffer = Buffer.alloc(0);
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
    const first = new WaitingRecords();
    first.add(head);
    try {
      await file.append(first.take());
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

  /** Appends all records or, where it throws, none. */
  async append(records: TakenRecords): Promise<void> {
    let { lines, hash } = this.#tip;
    const memory = this.#reserve(records.lines.length + records.count * CHAIN_BYTES);
    let used = 0;
    for (const [start, end] of recordsOf(records.lines)) {
      if (lines % SLICE === SLICE - 1) await setImmediate();
      const line = used;
      used += memory.write(`{"n":${++lines},"prev":"${hash}",`, used, "latin1");
      // A record has a type, so what follows its first brace is not empty.
      used += records.lines.copy(memory, used, start + 1, end);
      hash = lineHash(memory.subarray(line, used));
      used += memory.write("\n", used, "latin1");
    }
    const bytes = memory.subarray(0, used);
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

  /** The memory of the last write, if it is large enough: V8 would collect all of its heap more often for a new one each time. */
  #reserve(bytes: number): Buffer {
    if (bytes > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(2 * bytes);
    return this.#memory;
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
