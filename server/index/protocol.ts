import type { JobName } from "./jobs.ts";

/** A job for a thread. */
export interface Request {
  id: number;
  name: JobName;
  args: unknown;
  /** First element: not 0 if the call was cancelled. */
  cancelled: Int32Array;
  /** When the job should return what it has, milliseconds since the epoch. */
  until: number;
}

/** What a thread sends back. */
export type Response =
  /** Once, before all others: its modules are loaded. */
  | { ready: true }
  | { id: number; progress: { done: number; total: number } }
  | { id: number; value: unknown }
  | { id: number; error: { message: string; isToolError: boolean } };
