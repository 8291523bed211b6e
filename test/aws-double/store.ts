import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Props } from "./values.ts";

/** One resource in the store. */
export interface Stored {
  token: string;
  id: string;
  inputs: Props;
  outs: Props;
}

/** @returns undefined if there is no such file, or another process has just deleted it */
function read(file: string): Stored | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Stored;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * The account's resources, one file each, so that several processes (the engine starts one for each provider, the endpoint is
 * another) see the same state at once. The files are plain JSON, with secrets unencrypted.
 */
export class Store {
  readonly home: string;

  constructor(home: string) {
    this.home = home;
    mkdirSync(this.#folder, { recursive: true });
  }

  get #folder() {
    return join(this.home, "resources");
  }

  #file(token: string, id: string) {
    return join(this.#folder, `${encodeURIComponent(token)}@${encodeURIComponent(id)}.json`);
  }

  get(token: string, id: string): Stored | undefined {
    return read(this.#file(token, id));
  }

  /** All resources, or all of one kind. */
  all(token?: string): Stored[] {
    const start = token === undefined ? "" : `${encodeURIComponent(token)}@`;
    const names = readdirSync(this.#folder).filter(
      (name) => name.startsWith(start) && name.endsWith(".json"),
    );
    return names.flatMap((name) => read(join(this.#folder, name)) ?? []);
  }

  put(stored: Stored): void {
    const file = this.#file(stored.token, stored.id);
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(stored, null, 1), { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  }

  /** When it was created or last changed. */
  changed(token: string, id: string): Date {
    return statSync(this.#file(token, id)).mtime;
  }

  remove(token: string, id: string): void {
    rmSync(this.#file(token, id), { force: true });
  }

  /**
   * Changes a resource without the engine, as a user of the console does.
   * @throws Error for an unknown id.
   */
  drift(token: string, id: string, change: Props): void {
    const stored = this.get(token, id);
    if (!stored) throw new Error(`There is no ${token} ${id} in ${this.home}.`);
    this.put({
      ...stored,
      inputs: { ...stored.inputs, ...change },
      outs: { ...stored.outs, ...change },
    });
  }
}
