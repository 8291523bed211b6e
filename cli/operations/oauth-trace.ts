import { machineOutput } from "../machine/machine-output.ts";
import type { MachineRef } from "../machine/machine-ref.ts";

/** One step of an attempt to sign in, as the server noted it (server/auth/events.ts). */
export interface TraceEvent {
  type: string;
  /** Milliseconds since 1970. */
  at: number;
  address?: string;
  [field: string]: unknown;
}

/** The running slot answers on its private socket, which only root and the server's account can open. */
const READ =
  "curl -fsS --max-time 10 --unix-socket /run/mcp-edge/$(readlink /opt/mcp-edge/active).sock http://localhost/oauth/trace";

/** The last steps of sign-in and authorization that the machine's server has seen since it started. */
export async function readTrace(ref: MachineRef): Promise<TraceEvent[]> {
  return JSON.parse(await machineOutput(ref, ["sh", "-c", READ])) as TraceEvent[];
}

/** Fields that every line has in a place of its own, or that say little to a person. */
const APART = new Set(["type", "at", "address", "client", "userAgent", "requestId", "traceId"]);

/**
 * The events as lines: the time, a mark where something was refused, the step, and what the server knows of it.
 * Steps of one client and address stand together, the latest attempt last.
 */
export function renderTrace(events: readonly TraceEvent[]): string {
  if (events.length === 0) return "Nobody has tried to sign in since the server started.";
  const attempts = new Map<string, TraceEvent[]>();
  for (const event of events) {
    const key = `${event.client ?? "a client that is not known yet"}, ${event.address ?? "no address"}`;
    const attempt = attempts.get(key) ?? [];
    // The latest attempt moves to the end.
    attempts.delete(key);
    attempts.set(key, [...attempt, event]);
  }
  return [...attempts].map(([key, steps]) => [key, ...steps.map(line)].join("\n")).join("\n\n");
}

function line(event: TraceEvent): string {
  const fields = Object.entries(event)
    .filter(([name]) => !APART.has(name))
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  const mark = /refused|reused/.test(event.type) ? "✗" : "·";
  const time = new Date(event.at).toISOString().slice(11, 19);
  return `  ${time} ${mark} ${event.type.padEnd(28)} ${fields.join(", ")}`.trimEnd();
}
