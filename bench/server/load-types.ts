import type { Memory } from "./memory.ts";

/** A server that runs. */
export interface Served {
  readonly url: string;
  readonly pid: number;
  /** What each request to it has besides the protocol's headers. */
  readonly headers: Readonly<Record<string, string>>;
  memory(): Promise<Memory>;
  stop(): Promise<void>;
}

/** What to send. */
export interface Load {
  url: string;
  seconds: number;
  /** The headers of each connection: as many connections as there are entries. */
  connections: Record<string, string>[];
  /** `[<id>]` in it becomes a new id in each request. */
  body: string;
  /** What each answer must contain. */
  expect: string;
  /** Requests a second, evenly. Default: as many as are answered. */
  rate?: number;
}

export interface LoadResult {
  /** Requests a second that were answered well. */
  rate: number;
  /** Requests that were answered otherwise, or not at all. */
  failed: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** Of requests at an even rate. */
export interface PacedResult extends LoadResult {
  /** The p99 of each second, milliseconds: one stall of the host makes one of them large, and all of what the server does again and again. */
  seconds: number[];
  /** The seconds in which the hypervisor took next to nothing, and the p99 of their requests, milliseconds. */
  quiet: { seconds: number; p99: number };
  /** How often the client itself stood still for more than 5 ms, and how long in all, milliseconds. */
  gaps: { count: number; ms: number };
  /** Time for which the hypervisor gave the machine's cores to others, milliseconds: `steal` of proc_stat(5). */
  stolenMs: number;
}

/** With the processor time of the server, microseconds for each request. It doesn't depend on how busy the load generator is. */
export interface MeasuredLoad extends LoadResult {
  processor: number;
}

/** What to send to a server. */
export type Loading = (target: Served) => Promise<Omit<Load, "seconds">>;
