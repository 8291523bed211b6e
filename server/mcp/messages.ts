import type { RequestId } from "../store/store.ts";

/** The fields of a JSON-RPC message that are read before the SDK validates it. */
export interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: Record<string, unknown>;
}

/** The messages of a body: one, or a batch (2025-03-26). Nothing for a body that is neither. */
export function messagesOf(body: unknown): Message[] {
  const all: unknown[] = Array.isArray(body) ? body : [body];
  return all.every((one) => typeof one === "object" && one !== null) ? (all as Message[]) : [];
}

/** The ids of the requests among them. */
export function requestIds(messages: readonly Message[]): RequestId[] {
  return messages.flatMap(({ id, method }) =>
    method !== undefined && (typeof id === "string" || typeof id === "number") ? [id] : [],
  );
}
