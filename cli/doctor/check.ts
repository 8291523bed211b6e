import type { Context } from "./context.ts";

/** One thing that is examined. It resolves with what came, and throws when that is not good. */
export interface Check {
  /** Stable name, for programs and for `needs`. */
  id: string;
  title: string;
  /** Ids of the checks without whose success this one makes no sense. */
  needs: string[];
  /** Milliseconds, where the check must wait for something longer than the usual limit. */
  limitMs?: number;
  /** Whether the checks that need this one can go on although it failed: one address of two may work. Default: no. */
  usable?(context: Context): boolean;
  /** What is tried, in words: known before it runs. */
  tried(context: Context): string;
  /** What came, in words. @throws CheckFailure, or any error of the network. */
  run(context: Context, signal: AbortSignal): Promise<string>;
  /** What to do when it failed and the failure itself does not say better: imperative, with a command. */
  fix(context: Context): string;
}

/** Something came, and it is not what it should be. */
export class CheckFailure extends Error {
  override name = "CheckFailure";
  readonly fix: string | undefined;

  /** @param got what came instead @param fix overrides the check's own advice */
  constructor(got: string, fix?: string) {
    super(got);
    this.fix = fix;
  }
}

/** The outcome of one check. */
export interface CheckResult {
  id: string;
  title: string;
  tried: string;
  got: string;
  ok: boolean;
  /** How long it took, milliseconds. */
  ms: number;
  /** Only when it failed. */
  fix?: string;
  /** It was not tried, because these (titles) failed. */
  blockedBy?: string[];
}

/** The outcome of all. */
export interface DoctorReport {
  url: string;
  /** When it began, ISO 8601. */
  at: string;
  /** How long everything took, milliseconds. */
  ms: number;
  ok: boolean;
  checks: CheckResult[];
  /** Titles of the checks that were left out, since they need a token and there is none yet. */
  leftOut?: string[];
}
