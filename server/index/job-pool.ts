import { FairQueue } from "../shares/fair-queue.ts";
import type { JobArgs, JobName, JobResult } from "./jobs.ts";
import { type JobOptions, JobThread } from "./thread.ts";

/** Largest number of waiting jobs of one caller. */
const MAX_WAITING = 64;

/**
 * Threads that callers share. One caller has at most all but one of them, so that a long job does not delay other callers. A thread is
 * started when all running ones are busy.
 */
export class JobPool {
  readonly #threads: readonly JobThread[];
  readonly #busy = new Set<JobThread>();
  readonly #places: FairQueue;

  /**
   * @param what the jobs, as a plural, for refusals: "lookups"
   * @param size threads
   * @param heapMb largest JavaScript heap of each, MiB
   */
  constructor(what: string, size: number, heapMb: number) {
    this.#threads = Array.from({ length: size }, () => new JobThread(heapMb));
    const perCaller = Math.max(1, size - 1);
    this.#places = new FairQueue({ what, capacity: size, perCaller, maxWaiting: MAX_WAITING });
  }

  /**
   * Runs a job. The time limit includes the wait for a thread, but a job that has its turn has at least half of it to run: calls that a client
   * sends at once would otherwise fail just when they begin.
   *
   * @throws LimitReached if too many jobs of the caller wait, or this one has waited too long
   */
  async run<N extends JobName>(name: N, args: JobArgs<N>, options: JobOptions = {}): Promise<JobResult<N>> {
    const { timeoutMs, signal } = options;
    const until = performance.now() + (timeoutMs ?? 0);
    const release = await this.#places.enter({ signal, waitMs: timeoutMs });
    const thread = this.#free();
    this.#busy.add(thread);
    try {
      const left =
        timeoutMs === undefined ? {} : { timeoutMs: Math.max(timeoutMs / 2, until - performance.now()) };
      return await thread.run(name, args, { ...options, ...left });
    } finally {
      this.#busy.delete(thread);
      release();
    }
  }

  /** Runs a job in each running thread, without waiting for it. */
  inEach<N extends JobName>(name: N, args: JobArgs<N>): void {
    for (const thread of this.#threads) if (thread.started) thread.run(name, args).catch(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #free(): JobThread {
    const free = this.#threads.filter((thread) => !this.#busy.has(thread));
    return (free.find((thread) => thread.started) ?? free[0] ?? this.#threads[0]) as JobThread;
  }
}
