/** A condition for the server to accept calls. */
export interface Check {
  readonly name: string;
  /** False: a failure is shown, but the server is ready all the same. Default true. */
  readonly counts?: boolean;
  /** True: a failure ends by itself. The server starts in spite of it, and is not ready until then. Default false. */
  readonly recovers?: boolean;
  /** @returns a detail to show @throws Error that says what is wrong and how to fix it */
  run(): Promise<string>;
}

export interface CheckResult {
  ok: boolean;
  /** Whether `ready` depends on it. */
  counts: boolean;
  /** Whether the server starts in spite of a failure. */
  recovers: boolean;
  /** How long the check took, milliseconds. */
  ms: number;
  detail: string;
}

export interface Readiness {
  ready: boolean;
  draining: boolean;
  release: string;
  colour: string;
  /** When the checks ran. */
  at: string;
  checks: Record<string, CheckResult>;
}

/** How long results are reused, milliseconds. /readyz is public, so checks must not run for every request. */
const REUSE_MS = 1_000;

/** Runs the checks concurrently, at most once a second, and never while the previous run is in progress. */
export class ReadinessProbe {
  readonly #checks: readonly Check[];
  readonly #reuseMs: number;
  readonly #about: () => Pick<Readiness, "draining" | "release" | "colour">;
  #last: { at: number; over: boolean; results: Promise<Record<string, CheckResult>> } | undefined;

  /** @param reuseMs how long results are reused, milliseconds */
  constructor(
    checks: readonly Check[],
    about: () => Pick<Readiness, "draining" | "release" | "colour">,
    reuseMs = REUSE_MS,
  ) {
    this.#checks = checks;
    this.#reuseMs = reuseMs;
    this.#about = about;
  }

  async probe(): Promise<Readiness> {
    const now = Date.now();
    if (!this.#last || (this.#last.over && now - this.#last.at >= this.#reuseMs)) {
      const last = { at: now, over: false, results: this.#run() };
      void last.results.then(() => {
        last.over = true;
      });
      this.#last = last;
    }
    const { at, results } = this.#last;
    const checks = await results;
    const about = this.#about();
    const ready = !about.draining && Object.values(checks).every((c) => c.ok || !c.counts);
    return { ready, ...about, at: new Date(at).toISOString(), checks };
  }

  async #run(): Promise<Record<string, CheckResult>> {
    const results = await Promise.all(
      this.#checks.map(async (check) => [check.name, await timed(check)] as const),
    );
    return Object.fromEntries(results);
  }
}

async function timed(check: Check): Promise<CheckResult> {
  const started = performance.now();
  const result = await check.run().then(
    (detail) => ({ ok: true, detail }),
    (error: Error) => ({ ok: false, detail: error.message }),
  );
  return {
    ...result,
    counts: check.counts ?? true,
    recovers: check.recovers ?? false,
    ms: Math.round((performance.now() - started) * 10) / 10,
  };
}

/** Removes the details, which name paths of the machine: for the public route. */
export function withoutDetails({ checks, ...rest }: Readiness) {
  return {
    ...rest,
    checks: Object.fromEntries(
      Object.entries(checks).map(([name, { ok, counts, ms }]) => [name, { ok, counts, ms }]),
    ),
  };
}
