import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** The command lines of the programs that this thread starts meanwhile. */
export async function programsOf(work: () => Promise<unknown>): Promise<string[]> {
  const started: { spawnargs?: string[] }[] = [];
  // The arguments are set after the message.
  const onStart = (message: unknown) => started.push((message as { process: object }).process);
  subscribe("child_process", onStart);
  try {
    await work();
  } finally {
    unsubscribe("child_process", onStart);
  }
  return started.map(({ spawnargs }) => spawnargs?.join(" ") ?? "unknown");
}

/** Waits longer than the inaccuracy of the times of files. Before, a change could go unnoticed, so nothing is kept in memory. */
export const settledFiles = () => new Promise((resolve) => setTimeout(resolve, 40));
