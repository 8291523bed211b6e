import type { Sink } from "./run.ts";

/** Parses the output of `rg --count --null`: for each file its path, a NUL, and the number of matching lines. */
export class FileCounts implements Sink {
  readonly files: { path: string; matches: number }[] = [];
  #rest = "";
  #decoder = new TextDecoder();

  feed(chunk: Buffer, shows: (path: string) => boolean): boolean {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      // With --crlf, ripgrep's own lines end with CRLF.
      const [name = "", count = ""] = line.replace(/\r$/, "").split("\0");
      const path = name.replace(/^\.\//, "");
      if (/^\d+$/.test(count) && shows(path)) this.files.push({ path, matches: Number(count) });
    }
    return true;
  }
}

/** Options of ripgrep for this output. */
export const COUNT_OPTIONS = ["--count", "--null", "--with-filename", "--no-heading"];
