import type { Context } from "./context.ts";

/** One thing that doctor examines. `C` is what the checks of one run share. */
export interface Check<C = Context> {
  /** Stable name, for programs and for `needs`. */
  id: string;
  title: string;
  /** Ids of the checks that must pass before this one is tried. */
  needs: string[];
  /** Limit of a check that has to wait longer than the others, milliseconds. */
  limitMs?: number;
  /** Whether the checks that need this one can be tried although it failed, since one address of two worked. Default: no. */
  usable?(context: C): boolean;
  /** What is tried, in words. */
  tried(context: C): string;
  /** @returns what was found, in words @throws CheckFailure when that is wrong, or any error of the network */
  run(context: C, signal: AbortSignal): Promise<string>;
  /** Advice for a failure that brings none of its own: imperative, with a command. */
  fix(context: C): string;
}

/** The answer is not what it should be. */
export class CheckFailure extends Error {
  override name = "CheckFailure";
  readonly fix: string | undefined;

  /** @param got what was found instead @param fix replaces the check's own advice */
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
  /** Duration, milliseconds. */
  ms: number;
  /** Only when it failed. */
  fix?: string;
  /** Titles of the failed checks because of which this one was not tried. */
  blockedBy?: string[];
}

/** The outcome of a run. */
export interface DoctorReport {
  url: string;
  /** Start of the run, ISO 8601. */
  at: string;
  /** Duration of the run, milliseconds. */
  ms: number;
  ok: boolean;
  checks: CheckResult[];
  /** Titles of the checks that were left out because there is no token yet. */
  leftOut?: string[];
}
