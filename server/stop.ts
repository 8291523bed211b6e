/** A signal that comes again so soon is the same one, milliseconds: npm passes a terminal's Ctrl-C on to a child that has got it already. */
const SAME_SIGNAL_MS = 1_000;

export interface StopOptions {
  /** Ends the server in good order. @returns whether everything finished in time */
  readonly drain: (signal: string) => Promise<boolean>;
  /** The longest that `drain` may take, milliseconds. */
  readonly limitMs: number;
  readonly exit: (code: number) => void;
  readonly log: Record<"info" | "warn" | "error", (facts: object, text: string) => void>;
}

/**
 * What a signal does. The process ends in every case: after the drain (0), when the drain fails or takes too long (1), or at once at a
 * second signal (1).
 *
 * @returns to be called with each signal
 */
export function makeStop({ drain, limitMs, exit, log }: StopOptions): (signal: string) => void {
  let stoppingSince: number | undefined;
  const run = async (signal: string) => {
    const timer = setTimeout(() => {
      log.error({ limit_ms: limitMs }, "the end took too long");
      exit(1);
    }, limitMs);
    let code = 1;
    try {
      const clean = await drain(signal);
      log.info({ clean }, "stopped");
      code = 0;
    } catch (error) {
      log.error({ err: error }, "the end failed");
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
      log.warn({ signal }, "a second signal: ending at once");
      exit(1);
    }
  };
}
