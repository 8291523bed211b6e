import { describe, expect, test } from "@jest/globals";
import { ANONYMOUS } from "../../../server/auth/principal.ts";
import { asCaller } from "../../../server/shares/caller.ts";
import { FairQueue } from "../../../server/shares/fair-queue.ts";
import { LimitReached } from "../../../server/shares/limit-reached.ts";

const queue = (more: Partial<ConstructorParameters<typeof FairQueue>[0]> = {}) =>
  new FairQueue({ what: "programs", capacity: 8, perCaller: 2, maxWaiting: 1_000, ...more });
const turn = () => new Promise((resolve) => setImmediate(resolve));

interface Job {
  readonly caller: string;
  readonly threads: number;
  /** Core ticks that are left. */
  left: number;
  readonly release: () => void;
}

/** A machine in simulated time: in each tick its cores are shared by the threads at work, as the kernel does. */
class Machine {
  readonly #cores: number;
  readonly #jobs = new Set<Job>();

  constructor(cores: number) {
    this.#cores = cores;
  }

  run(job: Job): void {
    this.#jobs.add(job);
  }

  async tick(): Promise<void> {
    const threads = [...this.#jobs].reduce((sum, job) => sum + job.threads, 0);
    for (const job of this.#jobs) {
      job.left -= job.threads * Math.min(1, this.#cores / threads);
      if (job.left > 1e-9) continue;
      this.#jobs.delete(job);
      job.release();
    }
    await turn();
  }
}

/** Ticks that `calls` calls of one caller take, one after the other, beside what others do. */
async function ticksOf(calls: number, threads: number, greedy: { threads: number; calls: number }[]) {
  const places = queue();
  const machine = new Machine(2);
  const start = async (caller: string, threads: number) => {
    const release = await asCaller(caller, () => places.enter({ weight: threads }));
    return new Promise<void>((done) => {
      const end = () => {
        release();
        done();
      };
      machine.run({ caller, threads, left: 10 * threads, release: end });
    });
  };
  for (const [n, { threads, calls }] of greedy.entries())
    for (let call = 0; call < calls; call++) void start(`greedy ${n}`, threads);
  await turn();
  let over = false;
  const work = (async () => {
    for (let call = 0; call < calls; call++) await start("modest", threads);
    over = true;
  })();
  await turn();
  let ticks = 0;
  while (!over) {
    await machine.tick();
    ticks++;
  }
  await work;
  return ticks;
}

describe("one greedy caller", () => {
  test.each([
    ["single-threaded programs against the same", 1, 1],
    ["searches on every core against the same", 2, 2],
    ["searches against single-threaded programs", 2, 1],
    ["single-threaded programs against searches", 1, 2],
  ])("does not delay another by more than 2 x: %s", async (_, threads, greedy) => {
    const alone = await ticksOf(20, threads, []);
    const beside = await ticksOf(20, threads, [{ threads: greedy, calls: 900 }]);
    expect(alone).toBe(200);
    expect(beside).toBeLessThanOrEqual(alone * 2);
  });
});

describe("FairQueue", () => {
  /** Enters for callers in order; notes who got a place. */
  function entries(places: FairQueue) {
    const got: string[] = [];
    const releases: (() => void)[] = [];
    const enter = (caller: string, weight = 1, signal?: AbortSignal) =>
      asCaller(caller, () => places.enter({ weight, signal })).then((release) => {
        got.push(caller);
        releases.push(release);
      });
    return { got, releases, enter };
  }

  test("a caller gets at most its share, and free places go to the callers in turn", async () => {
    const places = queue({ capacity: 4 });
    const { got, releases, enter } = entries(places);
    for (const caller of ["a", "a", "a", "a", "b", "b", "b", "c", "c", "c"]) void enter(caller);
    await turn();
    expect(got).toEqual(["a", "a", "b", "b"]);
    for (let n = 0; n < 6; n++) {
      releases[n]?.();
      await turn();
    }
    expect(got).toEqual(["a", "a", "b", "b", "c", "a", "b", "c", "a", "c"]);
    for (const release of releases) release();
    for (const release of releases) release();
    expect(places.load).toEqual({ used: 0, waiting: 0 });
  });

  test("an entry that needs several places is not overtaken for ever by entries that need one", async () => {
    const { got, releases, enter } = entries(queue({ capacity: 2 }));
    await enter("a");
    await enter("b");
    void enter("wide", 2);
    void enter("c");
    releases[0]?.();
    await turn();
    expect(got).toEqual(["a", "b"]);
    releases[1]?.();
    await turn();
    expect(got).toEqual(["a", "b", "wide"]);
  });

  test("leaving the queue by abort or timeout releases no place that was not held, and admits the next entry", async () => {
    const places = queue({ capacity: 2 });
    const { got, releases, enter } = entries(places);
    await enter("a");
    await enter("b");
    const gone = new AbortController();
    const wide = enter("wide", 2, gone.signal);
    void enter("c");
    releases[0]?.();
    gone.abort(new Error("gone"));
    await expect(wide).rejects.toThrow("gone");
    await turn();
    expect(got).toEqual(["a", "b", "c"]);
    await expect(asCaller("d", () => places.enter({ waitMs: 10 }))).rejects.toBeInstanceOf(LimitReached);
    expect(places.load).toEqual({ used: 2, waiting: 0 });
  });

  test("a refusal names the limit and what to do", async () => {
    const places = queue({ maxWaiting: 1 });
    const { enter } = entries(places);
    await enter("a", 2);
    void enter("a");
    await expect(enter("a")).rejects.toThrow(
      "this token already uses 2 of the 2 places for programs that it may have at once (the machine has 8), and 1 more of its requests wait for a turn, the most that may wait. Let some end, then try again.",
    );
  });

  test("without authentication, all clients are one caller with all places", async () => {
    const { got, enter } = entries(queue());
    for (let n = 0; n < 9; n++) void enter(ANONYMOUS.id);
    await turn();
    expect(got).toHaveLength(8);
  });
});
