import type { RequestId } from "../store/store.ts";

interface StreamMessage {
  readonly session: string;
  readonly stream: string;
  readonly from: string;
}

export interface CancelledNotification {
  readonly params?: { readonly requestId?: RequestId };
}

/** The messages that instances send each other through the store, by type. */
export interface InstanceMessages {
  /** The store has new events of a stream. */
  wakeup: StreamMessage;
  /** The sender has a client that resumes a stream: the receiver must write the stream's events to the store. */
  request: StreamMessage;
  /** A client's answer to a request of the receiver. */
  answer: { readonly session: string; readonly message: { readonly id: string } };
  /** A client cancelled a request. */
  cancelled: { readonly session: string; readonly message: CancelledNotification };
  /** The store has a new state of a session. */
  state: { readonly session: string };
  /** A session was removed. */
  closed: { readonly session: string };
  /** A client opened a notification stream. Older releases send no claim. */
  claim: { readonly session: string; readonly claim?: number };
  /** The sender has started. */
  hello: { readonly from: string };
}

type MessageType = keyof InstanceMessages;

/** The value of `t` in each message. Two releases exchange messages during a switch, so these names must not change. */
const WIRE_TYPES: Readonly<Record<MessageType, string>> = {
  wakeup: "woke",
  request: "want",
  answer: "answer",
  cancelled: "cancelled",
  state: "facts",
  closed: "gone",
  claim: "taken",
  hello: "hello",
};

const TYPES = new Map(Object.entries(WIRE_TYPES).map(([type, wire]) => [wire, type as MessageType]));

export type MessageHandlers = {
  readonly [T in MessageType]: (message: InstanceMessages[T]) => void;
};

export function encodeMessage<T extends MessageType>(type: T, message: InstanceMessages[T]): string {
  return JSON.stringify({ t: WIRE_TYPES[type], ...message });
}

/** Calls the handler for a message. Types of another release that are unknown here are ignored. */
export function dispatchMessage(text: string, handlers: MessageHandlers): void {
  const { t, ...message } = JSON.parse(text) as { t: string };
  const type = TYPES.get(t);
  if (type) (handlers[type] as (message: object) => void)(message);
}
