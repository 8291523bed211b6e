import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { CHILD_ENV } from "../child.ts";

/** An object of a repository, without its content. */
export interface ObjectInfo {
  readonly hash: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
}

export interface ReadObject extends ObjectInfo {
  /** Undefined if it is larger than requested. */
  readonly content: Buffer | undefined;
}

interface Request {
  readonly maxBytes: number;
  readonly resolve: (object: ReadObject | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One `git cat-file --batch` process, which answers one request after the other (git-cat-file(1), BATCH OUTPUT). It ends when its stdin is
 * closed, so also when the server ends.
 */
export class ObjectReader {
  readonly #child: ChildProcessByStdio<Socket, Socket, null>;
  #request: Request | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** The object, once the first line of the response is known. */
  #object: ObjectInfo | undefined;
  #contentStart = 0;
  #ended = false;

  /** @param env variables in addition to those of each program */
  constructor(cwd: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn("git", ["cat-file", "--batch"], {
      cwd,
      env: { ...CHILD_ENV, ...env },
      stdio: ["pipe", "pipe", "ignore"],
      detached: true,
    }) as ChildProcessByStdio<Socket, Socket, null>;
    const onEnd = () => this.#fail(new Error("git cat-file ended"));
    this.#child.on("error", onEnd).on("exit", onEnd);
    this.#child.stdin.on("error", onEnd);
    this.#child.stdout.on("error", onEnd).on("data", (chunk: Buffer) => this.#onData(chunk));
    this.#keepRunning(false);
  }

  /** Whether it cannot be used any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * @param name of an object (gitrevisions(7)), without line breaks
   * @param maxBytes limit of its content; a larger one ends the process
   * @returns undefined if there is no such object
   * @throws if the process has ended, or another request is in progress
   */
  read(name: string, maxBytes: number): Promise<ReadObject | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#ended || this.#request) throw new Error("git cat-file is not free");
      if (/[\n\0]/.test(name)) throw new Error("the name of the object has a line break");
      this.#request = { maxBytes, resolve, reject };
      this.#keepRunning(true);
      this.#child.stdin.write(`${name}\n`);
    });
  }

  end(): void {
    this.#fail(new Error("git cat-file was ended"));
  }

  #onData(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    if (!this.#object) {
      const text = Buffer.concat(this.#pieces);
      const end = text.indexOf(10);
      if (end === -1) return;
      // The first line is `<hash> <type> <size>`, or the name and "missing" or "ambiguous".
      const [, hash, type, size] =
        /^([0-9a-f]{40}(?:[0-9a-f]{24})?) (\w+) (\d+)$/.exec(text.toString("utf8", 0, end)) ?? [];
      if (hash === undefined || type === undefined) {
        this.#respond(undefined);
        return;
      }
      this.#object = { hash, type, size: Number(size) };
      this.#contentStart = end + 1;
    }
    const object = this.#object;
    if (object.size > (this.#request?.maxBytes ?? 0)) {
      this.#respond({ ...object, content: undefined });
      this.end();
      return;
    }
    const end = this.#contentStart + object.size;
    // A line break follows the content.
    if (this.#bytes <= end) return;
    this.#respond({ ...object, content: Buffer.concat(this.#pieces).subarray(this.#contentStart, end) });
  }

  #respond(object: ReadObject | undefined): void {
    const request = this.#request;
    this.#request = undefined;
    this.#object = undefined;
    this.#pieces = [];
    this.#bytes = 0;
    this.#keepRunning(false);
    request?.resolve(object);
  }

  /** An idle process does not keep the server running. */
  #keepRunning(on: boolean): void {
    for (const handle of [this.#child, this.#child.stdin, this.#child.stdout])
      if (on) handle.ref();
      else handle.unref();
  }

  #fail(error: Error): void {
    this.#ended = true;
    this.#request?.reject(error);
    this.#request = undefined;
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.kill("SIGKILL");
  }
}
