import type { SyncListener } from "./sync.ts";

/**
 * Reduces the progress of copies to messages: one for each new state, and for each quarter of a transfer.
 *
 * @param publish receives each message, and the repository's name
 */
export function syncNews(
  publish: (level: "info" | "warning", text: string, name: string) => void,
): SyncListener {
  const last = new Map<string, string>();
  return (name, { state, percent, reason }) => {
    const step = `${state} ${percent === undefined ? "" : Math.floor(percent / 25)}`;
    if (last.get(name) === step) return;
    last.set(name, step);
    if (state === "failed") publish("warning", `${name}: ${reason}; the last good copy stays`, name);
    else publish("info", `${name}: ${state}${percent === undefined ? "" : ` ${percent} %`}`, name);
  };
}
