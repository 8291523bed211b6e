import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../infra/local/lock.ts";
import { home } from "../../infra/paths.ts";

/**
 * Run a change of a stack: one at a time, and told by a signal when the user interrupts. The engine then ends its
 * running step and writes its state down; a second interrupt ends us at once.
 */
export async function changing<T>(stack: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    console.error(
      "\nInterrupted: the engine ends its running step. The next `npm run up` or `npm run down` goes on from there.",
    );
    controller.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const locks = join(home, "locks");
    await mkdir(locks, { recursive: true });
    return await withLock(join(locks, `${stack}.lock`), () => work(controller.signal), 5_000);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}
