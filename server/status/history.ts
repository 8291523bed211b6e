import type { Totals } from "../metrics/totals.ts";
import { Periodic } from "../periodic.ts";
import { type MachineReport, readMachineReport } from "./machine.ts";
import { difference, type Point, pointOf, type Sample, STEP_MS, STEPS, together } from "./sample.ts";
import { type InstanceFigures, SharedFigures } from "./shared-file.ts";

/** How often the clock is checked for the end of a step, milliseconds. */
const CHECK_MS = 1_000;

export interface HistoryOptions {
  /** What happened since the start of this process. */
  readonly totals: () => Totals;
  /** Event streams that are open now. */
  readonly streams: () => number;
  /** The slot of this instance; empty in development. */
  readonly slot: string;
  readonly release: string;
  /** Folder that the instances of this machine share; undefined: what is known is lost with the process. */
  readonly folder: string | undefined;
  /** The file that the machine writes; undefined: nothing is known of certificate and bans. */
  readonly machineFile: string | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly onProblem: (problem: Error) => void;
}

/** A running instance of this machine. */
export interface Instance {
  readonly slot: string;
  readonly release: string;
}

/**
 * The last hour of this machine, in steps of ten seconds. During a release two instances run: each adds the other's figures, and the new one
 * goes on with those that the old one leaves behind.
 */
export class History {
  readonly #options: HistoryOptions;
  readonly #now: () => number;
  readonly #shared: SharedFigures | undefined;
  readonly #clock: Periodic;
  readonly #listeners = new Set<(points: readonly Point[]) => void>();
  #samples: Sample[] = [];
  #others = new Map<string, InstanceFigures>();
  #machine: MachineReport | undefined;
  #before: Totals;
  #stepEnds: number;

  constructor(options: HistoryOptions) {
    const { totals, folder, slot, now = () => Date.now(), onProblem } = options;
    this.#options = options;
    this.#now = now;
    this.#shared = folder === undefined ? undefined : new SharedFigures(folder, slot || SLOT);
    this.#before = totals();
    this.#stepEnds = stepEnd(now());
    this.#clock = new Periodic({
      everyMs: CHECK_MS,
      round: () => this.tick(),
      onError: onProblem,
      jitter: 0,
    });
  }

  /** Takes over what an earlier process of this slot knew, and begins to sample. */
  async start(): Promise<void> {
    this.#samples = [...((await this.#read())?.samples ?? [])];
    this.#forget();
    this.#machine = await readMachineReport(this.#options.machineFile, this.#now());
    this.#clock.start();
  }

  /** Ends the step when its time has come. */
  async tick(): Promise<void> {
    const now = this.#now();
    if (now < this.#stepEnds) return;
    const at = this.#stepEnds;
    this.#stepEnds = stepEnd(now);
    this.#machine = await readMachineReport(this.#options.machineFile, now);
    await this.#add(at);
    await this.#read();
    // What another instance reports of the step before may have come after ours.
    const latest = this.points().filter((point) => point.at >= at - STEP_MS);
    for (const listener of this.#listeners) listener(latest);
  }

  /** Keeps what happened in the step that is not over. */
  async close(): Promise<void> {
    await this.#clock.stop();
    await this.#add(this.#stepEnds);
    this.#listeners.clear();
  }

  /** The oldest first. */
  points(): Point[] {
    const steps = new Map<number, Sample>();
    const since = this.#now() - STEPS * STEP_MS;
    for (const { samples } of [...this.#others.values(), { samples: this.#samples }])
      for (const sample of samples) {
        if (sample.at <= since) continue;
        const known = steps.get(sample.at);
        steps.set(sample.at, known ? together(known, sample) : sample);
      }
    return [...steps.values()].sort((one, other) => one.at - other.at).map(pointOf);
  }

  /** As far as the machine reported it of late. */
  get machine(): MachineReport | undefined {
    return this.#machine;
  }

  /** This instance, and another that sampled moments ago. */
  get instances(): Instance[] {
    const { slot, release } = this.#options;
    const lately = this.#now() - 2 * STEP_MS;
    const others = [...this.#others].filter(([, { samples }]) => (samples.at(-1)?.at ?? 0) > lately);
    return [
      { slot, release },
      ...others.map(([name, figures]) => ({ slot: name, release: figures.release })),
    ];
  }

  /** @param listener receives the steps that are new or have changed @returns ends it */
  subscribe(listener: (points: readonly Point[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get #slot(): string {
    return this.#options.slot || SLOT;
  }

  async #add(at: number): Promise<void> {
    const { totals, streams, release } = this.#options;
    const now = totals();
    const happened = difference(now, this.#before);
    this.#before = now;
    this.#samples.push({ ...happened, at, streams: streams(), bans: this.#machine?.bans });
    this.#forget();
    await this.#shared?.write({ release, samples: this.#samples });
  }

  #forget(): void {
    const since = this.#now() - STEPS * STEP_MS;
    this.#samples = this.#samples.filter(({ at }) => at > since).slice(-STEPS);
  }

  /** Reads the figures of the other instances. @returns what this slot wrote */
  async #read(): Promise<InstanceFigures | undefined> {
    const all = (await this.#shared?.read()) ?? new Map<string, InstanceFigures>();
    const own = all.get(this.#slot);
    all.delete(this.#slot);
    this.#others = all;
    return own;
  }
}

/** The name of an instance without a slot. */
const SLOT = "server";

const stepEnd = (now: number) => (Math.floor(now / STEP_MS) + 1) * STEP_MS;
