import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Periodic } from "../periodic.ts";
import { AuditFile, auditFiles, newestLink } from "./audit-file.ts";
import { type AuditEvent, type FileLink, tipOf } from "./record.ts";
import { joined, type TakenRecords, WaitingRecords } from "./waiting-records.ts";

/** Interval of the writes, milliseconds. */
const WRITE_MS = 250;
/** Longest wait after failed writes, milliseconds. */
const MAX_BACK_OFF_MS = 10_000;
/** Records that wait for the disk; more are lost, and counted. Those of two seconds of the highest rate. */
const MAX_WAITING = 40_000;
/** Bytes of these records: with arguments, one may be large. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface AuditLogOptions {
  readonly dir: string;
  /** A file that has reached this size, bytes, is followed by a new one. */
  readonly fileBytes: number;
  /** Files of the folder; older ones are removed. */
  readonly files: number;
  /** Receives the numbers of records written and lost, for the metrics. */
  readonly count: (outcome: "written" | "lost", records: number) => void;
  readonly onError: (error: Error) => void;
  /** Default 40,000. */
  readonly maxWaiting?: number;
}

/**
 * The audit log: JSON lines, each with the sha256 of the line before. Each process has files of its own, so that the two processes of a
 * take-over do not disturb each other's chains. Writing is in the background: a request never waits, and a full disk ends none. The disk is
 * asked once an interval to keep what was written (fdatasync(2)), also under load: without a pause, that takes a fifth of a core.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #writer = randomBytes(4).toString("hex");
  readonly #writes: Periodic;
  readonly #waiting = new WaitingRecords();
  #lost = 0;
  #closing = false;
  #file: AuditFile | undefined;
  #previous: FileLink | undefined;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#writes = new Periodic({
      everyMs: WRITE_MS,
      maxBackOffMs: MAX_BACK_OFF_MS,
      round: () => this.#write(),
      onError: options.onError,
    }).start();
  }

  /** @param record what happened, or its JSON */
  record(record: AuditEvent | string): void {
    const { maxWaiting = MAX_WAITING } = this.#options;
    if (this.#waiting.count < maxWaiting && this.#waiting.bytes < MAX_WAITING_BYTES)
      this.#waiting.add(record);
    else {
      this.#lost++;
      this.#options.count("lost", 1);
    }
  }

  /** Writes what waits. Errors go to `onError`. */
  flush(): Promise<void> {
    return this.#writes.rerun();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.flush();
    await this.#writes.stop();
    await this.#file?.close();
    if (this.#waiting.count > 0) this.#options.count("lost", this.#waiting.count);
  }

  async #write(): Promise<void> {
    // What arrives during a write waits for the next one. The last one takes it too.
    do {
      if (this.#waiting.count === 0 && this.#lost === 0) return;
      await this.#append();
    } while (this.#closing);
  }

  async #append(): Promise<void> {
    const file = await this.#current();
    const [taken, lost] = [this.#waiting.take(), this.#lost];
    this.#lost = 0;
    try {
      await file.append(lost > 0 ? withGap(taken, lost) : taken);
    } catch (error) {
      this.#lost += lost;
      this.#waiting.putBack(taken);
      throw error;
    }
    this.#options.count("written", taken.count);
  }

  async #current(): Promise<AuditFile> {
    const { dir, fileBytes } = this.#options;
    if (this.#file && this.#file.bytes < fileBytes) return this.#file;
    if (this.#file) {
      this.#previous = this.#file.link;
      await this.#file.close();
      this.#file = undefined;
    } else if (!this.#previous) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      this.#previous = await newestLink(dir);
    }
    this.#file = await AuditFile.create(dir, this.#writer, this.#previous);
    await this.#removeOld();
    return this.#file;
  }

  async #removeOld(): Promise<void> {
    const { dir, files } = this.#options;
    for (const name of (await auditFiles(dir)).slice(0, -files)) {
      await rm(tipOf(join(dir, name)), { force: true });
      await rm(join(dir, name), { force: true });
    }
  }
}

function withGap(taken: TakenRecords, lost: number): TakenRecords {
  const gap = new WaitingRecords();
  gap.add({ type: "gap", at: new Date().toISOString(), lost });
  return joined(taken, gap.take());
}
