import type { SyncListener } from "./sync.ts";

/**
 * What of a copy's progress is worth a message: another state, and each further quarter of the way.
 *
 * @param say takes one message for people
 */
export function syncNews(say: (level: "info" | "warning", text: string) => void): SyncListener {
  const last = new Map<string, string>();
  return (name, { state, percent, reason }) => {
    const step = `${state} ${percent === undefined ? "" : Math.floor(percent / 25)}`;
    if (last.get(name) === step) return;
    last.set(name, step);
    if (state === "failed") say("warning", `${name}: ${reason}; the last good copy stays`);
    else say("info", `${name}: ${state}${percent === undefined ? "" : ` ${percent} %`}`);
  };
}
