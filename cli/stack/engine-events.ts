import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { violation } from "./policies.ts";

/** How many resources an operation touched, by the engine's name of it (create, update, delete, replace, same). */
export type Changes = Record<string, number>;

export const noChanges = (changes: Changes) =>
  Object.entries(changes).every(([operation, count]) => operation === "same" || count === 0);

/** One sentence, e.g. "Changed: 2 create, 1 update, 3 same." */
export function describeChanges(changes: Changes, verb: string): string {
  if (noChanges(changes)) return "Nothing to change.";
  const counts = Object.entries(changes).filter(([, count]) => count > 0);
  return `${verb}: ${counts.map(([operation, count]) => `${count} ${operation}`).join(", ")}.`;
}

/** The engine failed; the message holds what its resources said, not its own wrapping. */
export class EngineError extends Error {
  override name = "EngineError";
}

const nameOf = (urn: string) => urn.split("::").at(-1) ?? urn;
const clean = (message: string) =>
  message
    .replace(/<\{%[^%]*%\}>/g, "") // the engine's colour marks
    .trimEnd();

/** The engine's own helpers (default providers, the stack itself) are nothing a user asked for. */
const shown = ({ op, type }: { op: string; type: string }) => op !== "same" && !type.startsWith("pulumi:");

/** Wrapping that says nothing to a user: which RPC, which URN, that the update failed. */
const NOISE = /^(error: )?(update failed|preview failed|resource .* (create|update|delete) failed)/i;

/**
 * Turns the engine's events into lines of progress, and its failure into one error with the causes.
 * What a local resource's provider prints arrives as a diagnostic of severity "info".
 */
export function eventLines(log: (line: string) => void, { preview = false } = {}) {
  const causes: string[] = [];
  const changes: Changes = {};
  const started = new Map<string, number>();
  const onEvent = (event: EngineEvent) => {
    const { diagnosticEvent: said, resourcePreEvent: before, resOutputsEvent: after, policyEvent } = event;
    if (policyEvent) {
      const text = violation(policyEvent);
      if (policyEvent.enforcementLevel !== "mandatory") log(`advice of ${text}`);
      else if (!causes.includes(text)) causes.push(text);
    }
    if (said) {
      const text = clean(said.message);
      const lines = text.split("\n").filter((line) => line.trim());
      if (said.severity === "error" && !NOISE.test(text.trim()) && !causes.includes(text)) causes.push(text);
      if (said.severity === "info" || said.severity === "info#err") lines.forEach(log);
    }
    if (before && shown(before.metadata)) {
      started.set(before.metadata.urn, Date.now());
      log(`${nameOf(before.metadata.urn)}: ${preview ? "would " : ""}${before.metadata.op}`);
    }
    if (after && shown(after.metadata) && !preview) {
      const since = started.get(after.metadata.urn);
      const time = since ? ` (${((Date.now() - since) / 1000).toFixed(1)} s)` : "";
      log(`${nameOf(after.metadata.urn)}: ${after.metadata.op} done${time}`);
    }
    if (event.summaryEvent) Object.assign(changes, event.summaryEvent.resourceChanges);
  };
  const explain = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const text = causes.length > 0 ? causes.join("\n") : (error as Error).message;
      throw new EngineError(text);
    }
  };
  return { onEvent, explain, changes };
}
