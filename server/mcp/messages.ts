import { Refusal } from "../http/errors.ts";
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

/** Maximum number of messages in a batch (only in revision 2025-03-26): the SDK's own limit, checked before the first is handled. */
const MAX_MESSAGES = 100;
/** Maximum number of messages in a batch that may have to be passed to another instance: each costs a write to the store. */
const MAX_PASSED_ON = 10;

/** @throws Refusal for a batch that is too large, naming the limit */
export function refuseLargeBatch(body: unknown): void {
  if (!Array.isArray(body)) return;
  if (body.length > MAX_MESSAGES)
    throw new Refusal(
      400,
      `The batch has ${body.length} messages, more than the ${MAX_MESSAGES} of one request; send several`,
      undefined,
      -32_600,
    );
  const passedOn = messagesOf(body).filter(
    ({ method }) => method === undefined || method === "notifications/cancelled",
  );
  if (passedOn.length > MAX_PASSED_ON)
    throw new Refusal(
      400,
      `The batch has ${passedOn.length} answers and cancellations, more than the ${MAX_PASSED_ON} of one request; send several`,
      undefined,
      -32_600,
    );
}
