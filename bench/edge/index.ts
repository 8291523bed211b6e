import type { Topology } from "../../cloud-init/topology.ts";
import { Checkout, type UpOutput } from "../../test/machine/support.ts";
import { startBanned } from "./banned.ts";
import { type EdgeEvent, EVENTS } from "./events.ts";
import type { EdgeRow } from "./report.ts";
import { openStreams } from "./streams.ts";
import { runScript, type Target, targetOf } from "./target.ts";
import { PER_SECOND, startTraffic } from "./traffic.ts";

export interface EdgeOptions {
  readonly topology: Topology;
  /** Names of events; empty: all of the topology. */
  readonly events: readonly string[];
  /** Requests during each event. */
  readonly requests: number;
  readonly log: (line: string) => void;
}

/** Traffic before the event, milliseconds. */
const BEFORE = 2_000;
const STACK = "edge";
/** All clients have one address and one token. With `passthrough` only the server has limits. */
const SETTINGS: Record<Topology, readonly string[]> = {
  terminate: ["rateLimit=1000", "rateBurst=1000", "openRequests=4096", "methodRates={}"],
  passthrough: ["rateLimit=1000", "edge=passthrough"],
};

/** The events that were asked for. @throws Error that names those that there are */
export function chosenEvents(topology: Topology, names: readonly string[]): EdgeEvent[] {
  const all = EVENTS[topology];
  const unknown = names.filter((name) => !all.some((event) => event.name === name));
  if (unknown.length > 0)
    throw new Error(
      `There is no event ${unknown.join(", ")} with ${topology}. There are: ${all.map(({ name }) => name).join(", ")}.`,
    );
  return all.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** Boots a stack, makes one event after the other while clients call and hold streams, and removes it. */
export async function edgeRows({ topology, events, requests, log }: EdgeOptions): Promise<EdgeRow[]> {
  const chosen = chosenEvents(topology, events);
  const checkout = await Checkout.create();
  try {
    log(topology === "passthrough" ? "two machines" : "a machine");
    const up = await checkout.up(
      STACK,
      "--no-doctor",
      ...SETTINGS[topology].flatMap((set) => ["--set", set]),
    );
    const target = await targetOf(checkout, STACK, topology, up);
    await runScript(
      target,
      "server",
      "echo LISTENS_PER_TOKEN=500 >>/srv/mcp-edge/state/server.env; mcp-edge-deploy restart >/dev/null",
    );
    const rows: EdgeRow[] = [];
    for (const [index, event] of chosen.entries()) {
      log(`${index + 1} of ${chosen.length}: ${event.title}, under ${requests} requests`);
      rows.push(await measure(event, target, up, requests, log));
    }
    return rows;
  } finally {
    await checkout.remove(STACK);
  }
}

/** One event under traffic, with open streams. */
export async function measure(
  event: EdgeEvent,
  target: Target,
  up: UpOutput,
  requests: number,
  log: (line: string) => void,
): Promise<EdgeRow> {
  const streams = await openStreams(target, up);
  const banned = await startBanned(target, up);
  const traffic = startTraffic(target);
  try {
    await traffic.sent((BEFORE * PER_SECOND) / 1_000);
    const began = performance.now();
    const sudden = await event.run(target, requests / PER_SECOND - BEFORE / 1_000);
    const tookMs = Math.round(performance.now() - began);
    await traffic.sent(requests);
    const { kinds, failures } = await traffic.stop();
    for (const [failure, count] of Object.entries(failures)) log(`  ${count} x ${failure}`);
    const { lost, ...counts } = streams.counts(sudden);
    for (const reason of lost) log(`  not open again: ${reason}`);
    return {
      ...{ event: event.name, title: event.title, topology: target.topology, tookMs },
      requests: kinds,
      streams: { ...counts, lost: lost.length },
      banned: banned.stop(),
    };
  } finally {
    await traffic.stop();
    banned.stop();
    streams.close();
  }
}
