import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { Peers } from "../../../server/mcp/peers.ts";
import type { Store } from "../../../server/store/store.ts";

type Counts = Map<string, { slot: string; count: number }>;

let counts: Record<string, number>;
let beats: number;
/** Resolves the heartbeats that wait. If it is undefined, they are answered at once. */
let frozen: (() => void)[] | undefined;
let dead: string[];
const failures: string[] = [];
beforeEach(() => {
  jest.useFakeTimers();
  [counts, beats, frozen, dead] = [{ me: 0 }, 0, undefined, []];
});
afterEach(() => {
  jest.useRealTimers();
});

async function peers(): Promise<Peers> {
  const instances = async (): Promise<Counts> =>
    new Map(Object.entries(counts).map(([id, count]) => [id, { slot: "", count }]));
  const beat = async () => {
    beats++;
    if (frozen) await new Promise<void>((resolve) => frozen?.push(resolve));
    counts.me = (counts.me ?? 0) + 1;
    return instances();
  };
  const made = new Peers({
    store: { beat, instances } as unknown as Store,
    instance: "me",
    slot: "",
    onDead: async (id) => {
      dead.push(id);
      delete counts[id];
    },
    onError: (error) => failures.push(error.message),
  });
  await made.start();
  return made;
}

const seconds = (count: number) => jest.advanceTimersByTimeAsync(count * 1_000);

describe("a living instance is not declared dead", () => {
  test.each([6, 1_000])("after %d questions about unknown instances", async (questions) => {
    counts.other = 7;
    const made = await peers();
    for (let i = 0; i < questions; i++) expect(await made.alive(`unknown-${i}`)).toBe(false);
    await Promise.all(Array.from({ length: questions }, (_, i) => made.alive(`unknown-${i}`)));
    expect(dead).toEqual([]);
    // The questions did not read the heartbeats again.
    expect(beats).toBe(1);
    made.stop();
  });

  test("after many questions about an instance that did die", async () => {
    Object.assign(counts, { other: 7, killed: 3 });
    const made = await peers();
    for (let second = 0; second < 6; second++) {
      await seconds(1);
      counts.other = (counts.other ?? 0) + 1;
      for (let i = 0; i < 50; i++) await made.alive("killed");
    }
    expect(dead).toEqual(["killed"]);
    expect(await made.alive("other")).toBe(true);
    made.stop();
  });

  test("after a store that hung answers all heartbeats at once", async () => {
    counts.other = 7;
    const made = await peers();
    frozen = [];
    await seconds(60);
    for (const answer of frozen.splice(0)) answer();
    frozen = undefined;
    await jest.advanceTimersByTimeAsync(0);
    expect(dead).toEqual([]);
    made.stop();
  });

  test("after many announcements of a new instance", async () => {
    counts.other = 7;
    const made = await peers();
    counts.third = 1;
    for (let i = 0; i < 20; i++) await made.learn();
    expect(dead).toEqual([]);
    expect([made.others, await made.alive("third")]).toEqual([true, true]);
    made.stop();
  });
});

test("an instance whose heartbeats stop is declared dead once, after five missed heartbeats", async () => {
  counts.other = 7;
  const made = await peers();
  await seconds(4);
  expect(dead).toEqual([]);
  await seconds(1);
  expect(dead).toEqual(["other"]);
  await seconds(10);
  expect(dead).toEqual(["other"]);
  expect(made.others).toBe(false);
  made.stop();
});
