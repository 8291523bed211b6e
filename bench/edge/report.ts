import type { Topology } from "../../cloud-init/topology.ts";
import type { BannedCounts } from "./banned.ts";
import type { Kind } from "./clients.ts";
import { PROTOCOLS, type Protocol } from "./response.ts";
import { STREAMS } from "./streams.ts";
import type { Counts } from "./traffic.ts";

/** What one event cost clients. */
export interface EdgeRow {
  readonly event: string;
  readonly title: string;
  readonly topology: Topology;
  /** How long the event itself took, milliseconds. */
  readonly tookMs: number;
  readonly requests: Record<Kind, Counts>;
  readonly streams: {
    readonly ended: Record<Protocol, number>;
    readonly backMs: number;
    readonly lost: number;
  };
  readonly banned: BannedCounts;
}

const number = (value: number) => value.toLocaleString("en");

function cells({ title, requests, streams, banned }: EdgeRow): string[] {
  const kinds = Object.values(requests);
  const sum = (of: (counts: Counts) => number) => number(kinds.reduce((total, one) => total + of(one), 0));
  const lost = streams.lost === 0 ? "" : `, ${streams.lost} not`;
  return [
    title,
    sum(({ sent }) => sent),
    ...kinds.map(({ failed }) => number(failed)),
    number(Math.round(Math.max(...kinds.map(({ gapMs }) => gapMs)))),
    ...PROTOCOLS.map((protocol) => String(streams.ended[protocol])),
    streams.backMs === 0 && streams.lost === 0 ? "-" : `${number(streams.backMs)} ms${lost}`,
    `${number(banned.letIn)} of ${number(banned.attempts)}`,
  ];
}

/** A table in Markdown, as docs/reliability.md has it. */
export function renderRows(rows: readonly EdgeRow[]): string {
  const kinds = Object.keys(rows[0]?.requests ?? {});
  const head = [
    "event",
    "requests",
    ...kinds.map((kind) => `failed, ${kind}`),
    "longest gap, ms",
    ...PROTOCOLS.map((protocol) => `ended of ${STREAMS}, ${protocol}`),
    "open again after",
    "banned let in",
  ];
  const line = (all: string[]) => `| ${all.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map((row) => line(cells(row)))].join("\n");
}
