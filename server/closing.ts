/** One step of the shutdown: its name for the log, what it does, and how long it may take, milliseconds. */
export interface ClosingStep {
  readonly name: string;
  readonly close: () => unknown;
  readonly limitMs: number;
}

export interface ClosingLog {
  error(fields: object, text: string): void;
}

/**
 * Runs one step after another. A step that throws or exceeds its time is logged, and the next step runs all the same: a part that hangs
 * must not lose what the others still have to write.
 *
 * @returns whether every step succeeded
 */
export async function closeInSteps(steps: readonly ClosingStep[], log: ClosingLog): Promise<boolean> {
  let clean = true;
  for (const { name, close, limitMs } of steps) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not closed within ${limitMs} ms`)), limitMs);
    });
    try {
      await Promise.race([(async () => close())(), late]);
    } catch (error) {
      clean = false;
      log.error({ err: error, step: name }, "closing");
    } finally {
      clearTimeout(timer);
    }
  }
  return clean;
}
