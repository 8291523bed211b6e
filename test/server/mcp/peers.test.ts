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

async function startPeers(): Promise<Peers> {
  const instances = async (): Promise<Counts> =>
    new Map(Object.entries(counts).map(([id, count]) => [id, { slot: "", count }]));
  const beat = async () => {
    beats++;
    if (frozen) await new Promise<void>((resolve) => frozen?.push(resolve));
    counts.me = (counts.me ?? 0) + 1;
    return instances();
  };
  const peers = new Peers({
    store: { beat, instances } as unknown as Store,
    instance: "me",
    slot: "",
    onDead: async (id) => {
      dead.push(id);
      delete counts[id];
    },
    onError: (error) => failures.push(error.message),
  });
  await peers.start();
  return peers;
}

const seconds = (count: number) => jest.advanceTimersByTimeAsync(count * 1_000);

describe("a living instance is not declared dead", () => {
  test.each([6, 1_000])("after %d questions about unknown instances", async (questions) => {
    counts.other = 7;
    const peers = await startPeers();
    for (let i = 0; i < questions; i++) expect(await peers.alive(`unknown-${i}`)).toBe(false);
    await Promise.all(Array.from({ length: questions }, (_, i) => peers.alive(`unknown-${i}`)));
    expect(dead).toEqual([]);
    // The questions did not read the heartbeats again.
    expect(beats).toBe(1);
    peers.stop();
  });

  test("after many questions about an instance that did die", async () => {
    Object.assign(counts, { other: 7, killed: 3 });
    const peers = await startPeers();
    for (let second = 0; second < 6; second++) {
      await seconds(1);
      counts.other = (counts.other ?? 0) + 1;
      for (let i = 0; i < 50; i++) await peers.alive("killed");
    }
    expect(dead).toEqual(["killed"]);
    expect(await peers.alive("other")).toBe(true);
    peers.stop();
  });

  test("after a store that hung answers all heartbeats at once", async () => {
    counts.other = 7;
    const peers = await startPeers();
    frozen = [];
    await seconds(60);
    for (const answer of frozen.splice(0)) answer();
    frozen = undefined;
    await jest.advanceTimersByTimeAsync(0);
    expect(dead).toEqual([]);
    peers.stop();
  });

  test("after many announcements of a new instance", async () => {
    counts.other = 7;
    const peers = await startPeers();
    counts.third = 1;
    for (let i = 0; i < 20; i++) await peers.learn();
    expect(dead).toEqual([]);
    expect([peers.others, await peers.alive("third")]).toEqual([true, true]);
    peers.stop();
  });
});

test("an instance whose heartbeats stop is declared dead once, after five missed heartbeats", async () => {
  counts.other = 7;
  const peers = await startPeers();
  await seconds(4);
  expect(dead).toEqual([]);
  await seconds(1);
  expect(dead).toEqual(["other"]);
  await seconds(10);
  expect(dead).toEqual(["other"]);
  expect(peers.others).toBe(false);
  peers.stop();
});
