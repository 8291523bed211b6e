import type { JobName } from "./jobs.ts";

export interface Order {
  id: number;
  name: JobName;
  args: unknown;
  /** First element: not 0 when the caller has gone. */
  cancelled: Int32Array;
  /** When the job should answer with what it has, milliseconds since the epoch. */
  until: number;
}

export type Report =
  | { id: number; progress: { done: number; total: number } }
  | { id: number; value: unknown }
  | { id: number; error: { message: string; mendable: boolean } };
