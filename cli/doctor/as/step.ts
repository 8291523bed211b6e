import type { Attempt } from "./attempt.ts";

/** One step of a client's sign-in. Its fields are those of a check, with the attempt in place of the context. */
export interface Step {
  id: string;
  title: string;
  needs: string[];
  /** Milliseconds, where the step waits longer than the usual limit. */
  limitMs?: number;
  tried(attempt: Attempt): string;
  /** What came, in words. @throws CheckFailure that names the field that is wrong and what it must be */
  run(attempt: Attempt, signal: AbortSignal): Promise<string>;
  fix: string;
}
