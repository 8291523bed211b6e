import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { FAST } from "../metrics/buckets.ts";
import { type Sample, STEPS } from "./sample.ts";

const FILE = /^status-([a-z0-9]{1,16})\.json$/;
/** Bytes of a file that is read; an hour of samples has some 100 kB. */
const MAX_BYTES = 4 * 1024 * 1024;

const count = z.number().nonnegative();
const buckets = z.array(count).length(FAST.length + 1);
const SampleSchema = z.object({
  at: count,
  requests: count,
  errors: count,
  refused: count,
  http3: count,
  toolCalls: count,
  toolErrors: count,
  duration: buckets,
  firstByte: buckets,
  streams: count,
  bans: count.optional(),
});
const FileSchema = z.object({ release: z.string(), samples: z.array(SampleSchema).max(2 * STEPS) });

/** What one instance keeps for the others of its machine, and for its next start. */
export interface InstanceFigures {
  readonly release: string;
  readonly samples: readonly Sample[];
}

/** The figures of the instances of one machine: a file for each slot, replaced as a whole. */
export class SharedFigures {
  readonly #folder: string;
  readonly #slot: string;
  readonly #known = new Map<string, { readonly changed: number; readonly figures: InstanceFigures }>();

  /** @param folder must exist */
  constructor(folder: string, slot: string) {
    this.#folder = folder;
    this.#slot = slot;
  }

  async write(figures: InstanceFigures): Promise<void> {
    const file = join(this.#folder, `status-${this.#slot}.json`);
    await writeFile(`${file}.new`, JSON.stringify(figures), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  /** By slot, this one's too. A file of a release that writes them differently counts as none. */
  async read(): Promise<Map<string, InstanceFigures>> {
    const all = new Map<string, InstanceFigures>();
    for (const name of await readdir(this.#folder)) {
      const slot = FILE.exec(name)?.[1];
      const figures = slot === undefined ? undefined : await this.#readFile(name);
      if (slot !== undefined && figures) all.set(slot, figures);
    }
    return all;
  }

  /** Reads a file if it has changed. */
  async #readFile(name: string): Promise<InstanceFigures | undefined> {
    const file = join(this.#folder, name);
    const { mtimeMs, size } = await stat(file);
    const known = this.#known.get(name);
    if (known?.changed === mtimeMs) return known.figures;
    if (size > MAX_BYTES) return undefined;
    const parsed = FileSchema.safeParse(jsonOf(await readFile(file, "utf8")));
    if (!parsed.success) return undefined;
    const { release, samples } = parsed.data;
    const figures = { release, samples: samples.map((one) => ({ ...one, bans: one.bans })) };
    this.#known.set(name, { changed: mtimeMs, figures });
    return figures;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
