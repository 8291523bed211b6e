import { type CollectorLimits, LineCollector, type Match } from "../../index/text/line-collector.ts";
import type { Sink } from "./run.ts";

type RgText = { text: string } | { bytes: string };
interface RgLine {
  path: RgText;
  lines: RgText;
  line_number: number;
  submatches: { start: number }[];
}
type RgMessage = { type: "match" | "context"; data: RgLine } | { type: "begin" | "end" | "summary" };

/** Parses the output of `rg --json` as it arrives. */
export class MatchCollector implements Sink {
  readonly #found: LineCollector;
  #rest = "";
  #decoder = new TextDecoder();

  constructor(limits: CollectorLimits) {
    this.#found = new LineCollector(limits);
  }

  get matches(): readonly Match[] {
    return this.#found.matches;
  }

  /** See LineCollector. */
  get truncated(): boolean {
    return this.#found.truncated;
  }

  /** @returns false if no more is needed */
  feed(chunk: Buffer, shows: (path: string) => boolean): boolean {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    let end = this.#rest.indexOf("\n");
    let start = 0;
    while (end !== -1) {
      const message = messageOf(this.#rest.slice(start, end));
      if (message && !this.#message(message, shows)) return false;
      start = end + 1;
      end = this.#rest.indexOf("\n", start);
    }
    this.#rest = this.#rest.slice(start);
    return true;
  }

  /** Gives the matches of the last file their context. Call it once, at the end of the output. */
  finish(): readonly Match[] {
    this.#found.endFile();
    return this.matches;
  }

  #message(message: RgMessage, shows: (path: string) => boolean): boolean {
    if (message.type === "begin") this.#found.startFile();
    else if (message.type === "end") this.#found.endFile();
    else if (message.type === "match" || message.type === "context")
      return this.#line(message.type, message.data, shows);
    return true;
  }

  #line(type: "match" | "context", data: RgLine, shows: (path: string) => boolean): boolean {
    const path = bytesOf(data.path).toString().replace(/^\.\//, "");
    if (!shows(path)) return true;
    const bytes = bytesOf(data.lines);
    const start = bytes.subarray(0, data.submatches[0]?.start ?? 0).toString();
    const lines = bytes
      .toString()
      .replace(/\r?\n$/, "")
      .split(/\r?\n/);
    return this.#found.add({ type, path, line: data.line_number, lines, column: start.length + 1 });
  }
}

/** @returns undefined for a line that is not a message: RIPGREP_PATH may name a wrapper with output of its own */
function messageOf(line: string): RgMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as RgMessage;
  } catch {
    return undefined;
  }
}

/** ripgrep encodes a name or line that is not UTF-8 as base64. */
function bytesOf(value: RgText): Buffer {
  return "text" in value ? Buffer.from(value.text) : Buffer.from(value.bytes, "base64");
}

/** The result of one run of a search. If it is truncated, it has the first matches in the order of the paths. */
export interface Part {
  matches: readonly Match[];
  truncated: boolean;
}

/** The first `max` matches of several runs over different files, in the order of `--sort=path`. */
export function merged(parts: readonly Part[], max: number): { matches: Match[]; truncated: boolean } {
  const all = parts.flatMap((part) => part.matches).sort(byPlace);
  // A truncated run lacks matches beyond its last one, so those of the other runs there are not complete either.
  const ends = parts.flatMap((part) => (part.truncated ? [[...part.matches].sort(byPlace).at(-1)] : []));
  const complete = all.filter((match) => ends.every((end) => end !== undefined && byPlace(match, end) <= 0));
  return {
    matches: complete.slice(0, max),
    truncated: complete.length < all.length || complete.length > max || ends.length > 0,
  };
}

const byPlace = (a: Match, b: Match) => byPath(a.path, b.path) || a.line - b.line;

/** The order of `--sort=path`: folder by folder, each by name. */
function byPath(a: string, b: string): number {
  if (a === b) return 0;
  const one = a.split("/");
  const other = b.split("/");
  for (const [n, part] of one.entries()) {
    const against = other[n] ?? "";
    if (part !== against) return part < against ? -1 : 1;
  }
  return -1;
}
