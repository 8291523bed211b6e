import { mcpHeaders } from "../../test/machine/support.ts";
import { type Call, KINDS, type Kind } from "./clients.ts";
import { pause, type Target } from "./target.ts";

/** Requests a second, of all kinds of clients together. */
export const PER_SECOND = 200;
/** How often requests that are due are sent, milliseconds. */
const TICK = 5;

export interface Counts {
  sent: number;
  failed: number;
  /** Longest time between two answers with status 200, milliseconds. */
  gapMs: number;
}

export interface TrafficCounts {
  readonly kinds: Record<Kind, Counts>;
  /** How often each failure was seen. */
  readonly failures: Record<string, number>;
}

/** Sends requests at a steady rate, half of them GET and half POST, the kinds of clients in turn. */
export function startTraffic(target: Target) {
  const calls: Call[] = [
    { method: "GET", path: "/", headers: { accept: "application/json" } },
    {
      method: "POST",
      path: target.url.pathname,
      headers: mcpHeaders(target.token),
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    },
  ];
  const began = performance.now();
  const clients = Object.entries(KINDS).map(([kind, create]) => ({
    kind: kind as Kind,
    client: create(target),
    counts: { sent: 0, failed: 0, gapMs: 0 },
    answeredAt: began,
  }));
  const failures: Record<string, number> = {};
  const pending = new Set<Promise<void>>();
  let sent = 0;

  const send = async () => {
    const from = clients[sent % clients.length] as (typeof clients)[number];
    const call = calls[Math.floor(sent / clients.length) % calls.length] as Call;
    sent++;
    from.counts.sent++;
    const outcome = await from.client.send(call).catch((error: Error) => error.message || error.name);
    if (outcome === 200) {
      const now = performance.now();
      from.counts.gapMs = Math.max(from.counts.gapMs, now - from.answeredAt);
      from.answeredAt = now;
      return;
    }
    from.counts.failed++;
    const what = `${from.kind} ${call.method}: ${outcome}`;
    failures[what] = (failures[what] ?? 0) + 1;
  };

  const timer = setInterval(() => {
    const due = ((performance.now() - began) * PER_SECOND) / 1_000;
    while (sent < due) {
      const call = send();
      pending.add(call);
      void call.finally(() => pending.delete(call));
    }
  }, TICK);

  return {
    /** Resolves when so many requests have been sent. */
    async sent(count: number): Promise<void> {
      while (sent < count) await pause(50);
    },
    async stop(): Promise<TrafficCounts> {
      clearInterval(timer);
      const ended = performance.now();
      await Promise.all(pending);
      for (const { client } of clients) client.close();
      const kinds = Object.fromEntries(
        clients.map(({ kind, counts, answeredAt }) => [
          kind,
          { ...counts, gapMs: Math.max(counts.gapMs, ended - answeredAt) },
        ]),
      );
      return { kinds: kinds as Record<Kind, Counts>, failures };
    },
  };
}
