import type { Progress } from "../shares/progress.ts";

/** Interval of the reports for a tool that makes none itself, milliseconds. */
const HEARTBEAT_MS = 2_000;

interface Reporting {
  readonly progress?: Progress | undefined;
  readonly heartbeatMs?: number | undefined;
}

/**
 * Reports the elapsed seconds of a call until the tool reports progress itself, so that a caller sees that a slow call is alive. What
 * the tool reports is added to the seconds already reported: the protocol requires that progress rises.
 */
export function withHeartbeat<C extends Reporting, T>(
  name: string,
  context: C,
  run: (context: C) => Promise<T>,
): Promise<T> {
  const { progress } = context;
  return progress ? beating(name, context, progress, run) : run(context);
}

async function beating<C extends Reporting, T>(
  name: string,
  context: C,
  progress: Progress,
  run: (context: C) => Promise<T>,
): Promise<T> {
  const { heartbeatMs = HEARTBEAT_MS } = context;
  const started = performance.now();
  let reported = 0;
  const beat = () => {
    reported = Math.round((performance.now() - started) / 1_000);
    progress(reported, undefined, `${name}: ${reported} s`);
  };
  if (heartbeatMs === 0) beat();
  const timer = setInterval(beat, Math.max(100, heartbeatMs)).unref();
  const report: Progress = (done, total, message) => {
    clearInterval(timer);
    progress(reported + done, total === undefined ? undefined : reported + total, message);
  };
  try {
    return await run({ ...context, progress: report });
  } finally {
    clearInterval(timer);
  }
}
