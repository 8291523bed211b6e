import type { ChainableCommander, Redis } from "iovalkey";
import { LIMITS } from "./store.ts";
import { sessionKey } from "./valkey-keys.ts";

/** The commands that the scripts add to a connection or a pipeline. */
interface Scripted<R> {
  mcpAppend(session: string, ...args: (string | number)[]): R;
  mcpChangeState(session: string, change: string): R;
  mcpClaim(session: string, stream: string): R;
  mcpRemove(session: string, markMs: number): R;
}
export type Connection = Redis & Scripted<Promise<unknown>>;
export type Pipeline = ChainableCommander & Scripted<ChainableCommander>;

/** Adds the append of one event; `n` is "" if the store chooses the number. */
export function append(
  pipeline: Pipeline,
  session: string,
  stream: string,
  n: string,
  message: string,
): void {
  const limits = [LIMITS.maxEvents, LIMITS.maxEventChars, LIMITS.eventTtlMs];
  pipeline.mcpAppend(sessionKey(session), stream, n, message, Date.now(), ...limits);
}

/** Runs a pipeline or a transaction. @throws the first error in it */
export async function done(pipeline: ChainableCommander): Promise<unknown[]> {
  const answers = (await pipeline.exec()) ?? [];
  for (const [error] of answers) if (error) throw error;
  return answers.map(([, value]) => value);
}
