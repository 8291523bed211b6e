/** A signal that is repeated within this time is ignored, milliseconds: npm forwards Ctrl-C to a child that has already received it. */
const SAME_SIGNAL_MS = 1_000;

export interface StopOptions {
  /** Shuts the server down gracefully. @returns whether everything finished in time */
  readonly drain: (signal: string) => Promise<boolean>;
  /** How long `drain` may take, milliseconds. */
  readonly limitMs: number;
  readonly exit: (code: number) => void;
  readonly log: Record<"info" | "warn" | "error", (fields: object, text: string) => void>;
}

/**
 * Makes the signal handler. The process always exits: with 0 after the drain, with 1 if the drain fails or takes too long, and with 1 at
 * once after a second signal.
 *
 * @returns the handler, to be called with each signal
 */
export function makeStop({ drain, limitMs, exit, log }: StopOptions): (signal: string) => void {
  let stoppingSince: number | undefined;
  const run = async (signal: string) => {
    const timer = setTimeout(() => {
      log.error({ limit_ms: limitMs }, "the shutdown took too long");
      exit(1);
    }, limitMs);
    let code = 1;
    try {
      const clean = await drain(signal);
      log.info({ clean }, "stopped");
      code = 0;
    } catch (error) {
      log.error({ err: error }, "the shutdown failed");
    } finally {
      clearTimeout(timer);
      exit(code);
    }
  };
  return (signal) => {
    const now = performance.now();
    if (stoppingSince === undefined) {
      stoppingSince = now;
      void run(signal);
    } else if (now - stoppingSince >= SAME_SIGNAL_MS) {
      log.warn({ signal }, "a second signal: exiting at once");
      exit(1);
    }
  };
}
