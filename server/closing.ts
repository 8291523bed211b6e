/** One part of the server that is closed: its name for the log, how, and how long that may take, milliseconds. */
export interface ClosingStep {
  readonly name: string;
  readonly close: () => unknown;
  readonly limitMs: number;
}

export interface ClosingLog {
  error(facts: object, text: string): void;
}

/**
 * Closes one part after another. A step that throws, or does not end in its time, is logged and keeps no later one from its turn: an end
 * that hangs in one part must not lose what the others still have to write.
 *
 * @returns whether every step ended well
 */
export async function closeInSteps(steps: readonly ClosingStep[], log: ClosingLog): Promise<boolean> {
  let clean = true;
  for (const { name, close, limitMs } of steps) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not over within ${limitMs} ms`)), limitMs);
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
