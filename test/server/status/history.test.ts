import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { TotalsCounter } from "../../../server/metrics/totals.ts";
import { History, type HistoryOptions } from "../../../server/status/history.ts";
import { flowsRatio } from "../../../server/status/machine.ts";
import { STEP_MS, STEPS } from "../../../server/status/sample.ts";
import { temporaryFolder } from "../support.ts";
import { stopTimers } from "../timers.ts";

const START = Date.parse("2026-11-26T10:00:03Z");
const REQUEST = { route: "/mcp", method: "POST", protocol: "", status: 200, longLived: false };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let now: number;
let open: History[];
beforeEach(async () => {
  // The tests alone end the steps.
  stopTimers();
  folder = await temporaryFolder();
  now = START;
  open = [];
});
afterEach(async () => {
  for (const history of open) await history.close();
  jest.useRealTimers();
  await folder.remove();
});

/** One instance: its counter, and its history. */
async function instance(slot: string, options: Partial<HistoryOptions> = {}) {
  const counter = new TotalsCounter();
  const history = new History({
    totals: () => counter.read(),
    streams: () => 2,
    slot,
    release: `release of ${slot}`,
    folder: folder.path,
    machineFile: undefined,
    now: () => now,
    onProblem: (problem) => {
      throw problem;
    },
    ...options,
  });
  open.push(history);
  await history.start();
  const request = (seconds: number, more: { status?: number; http?: string; longLived?: boolean } = {}) =>
    counter.request({ ...REQUEST, http: "HTTP/3.0", seconds, firstByteSeconds: seconds / 2, ...more });
  return { counter, history, request };
}

/** The end of the next step. */
async function step(...histories: History[]) {
  now += STEP_MS;
  for (const history of histories) await history.tick();
}

test("a step has what happened in it", async () => {
  const { history, counter, request } = await instance("blue");
  for (let n = 0; n < 98; n++) request(0.004);
  request(2, { status: 503, http: "HTTP/2.0" });
  request(9_000, { longLived: true, http: "HTTP/2.0" });
  counter.refused();
  counter.toolCall("ok");
  counter.toolCall("failed");
  await history.tick();
  expect(history.points()).toEqual([]);
  await step(history);
  const [point, ...more] = history.points();
  expect(more).toEqual([]);
  expect(point).toMatchObject({
    at: Date.parse("2026-11-26T10:00:10Z"),
    requests: 10,
    errors: 1,
    refused: 1,
    toolCalls: 2,
    toolErrors: 1,
    streams: 2,
    http3: 98,
    bans: undefined,
  });
  expect(point?.p50).toBeGreaterThan(2.5);
  expect(point?.p95).toBeLessThanOrEqual(5);
  expect(point?.p99).toBeGreaterThan(1_000);
  expect(point?.firstByte50).toBeLessThanOrEqual(2.5);
  await step(history);
  expect(history.points()[1]).toMatchObject({ requests: 0, http3: undefined, p50: undefined });
});

test("the history holds an hour, and no more", async () => {
  const { history } = await instance("blue", { folder: undefined });
  for (let n = 0; n < STEPS + 5; n++) await step(history);
  expect(history.points()).toHaveLength(STEPS);
  expect(history.points().at(-1)?.at).toBe(Math.floor(now / STEP_MS) * STEP_MS);
});

test("during a release both instances count, and the new one keeps what the old one saw", async () => {
  const old = await instance("blue");
  old.request(0.1);
  await step(old.history);
  const fresh = await instance("green");
  expect(fresh.history.points()).toHaveLength(1);
  old.request(0.1);
  fresh.request(0.1);
  const seen: number[] = [];
  fresh.history.subscribe((points) => seen.push(...points.map((point) => point.requests)));
  await step(fresh.history, old.history);
  // The old one was later: its part comes with the next step.
  await step(fresh.history, old.history);
  expect(seen.slice(0, 2)).toEqual([0.1, 0.1]);
  expect(seen).toContain(0.2);
  expect(fresh.history.points().map(({ requests, streams }) => [requests, streams])).toEqual([
    [0.1, 2],
    [0.2, 4],
    [0, 2],
  ]);
  expect(fresh.history.instances.map(({ slot }) => slot)).toEqual(["green", "blue"]);
  old.request(0.1);
  await old.history.close();
  await step(fresh.history);
  await step(fresh.history);
  expect(fresh.history.points().map(({ requests }) => requests)).toEqual([0.1, 0.2, 0, 0.1, 0]);
  await step(fresh.history);
  expect(fresh.history.instances.map(({ slot }) => slot)).toEqual(["green"]);
});

test("an instance that starts again goes on with its own figures", async () => {
  const first = await instance("blue");
  first.request(0.1);
  await step(first.history);
  await first.history.close();
  const second = await instance("blue");
  await step(second.history);
  expect(second.history.points().map(({ requests }) => requests)).toEqual([0.1, 0]);
});

test("a file that is damaged, or of another release, counts as none", async () => {
  await writeFile(join(folder.path, "status-green.json"), "{");
  await writeFile(join(folder.path, "status-red.json"), '{"release": "x", "samples": [{"at": 1}]}');
  const { history } = await instance("blue");
  await step(history);
  expect(history.points()).toHaveLength(1);
});

test("the machine reports certificate, bans and tracked flows; an old report says nothing", async () => {
  const machineFile = join(folder.path, "machine.json");
  const seconds = Math.floor(START / 1_000);
  const report = {
    at: seconds,
    certificate: { from: seconds - 60, to: seconds + 3_600 },
    bans: 3,
    flows: { tracked: 50, limit: 200 },
  };
  await writeFile(machineFile, JSON.stringify(report));
  const { history } = await instance("blue", { machineFile });
  await step(history);
  expect(history.machine).toMatchObject({ bans: 3, certificate: { to: (seconds + 3_600) * 1_000 } });
  expect(history.points()[0]?.bans).toBe(3);
  expect(flowsRatio(history.machine)).toBe(0.25);
  now += 10 * 60_000;
  await step(history);
  expect(history.machine).toBeUndefined();
  await writeFile(machineFile, "no JSON");
  await step(history);
  expect(history.machine).toBeUndefined();
});
