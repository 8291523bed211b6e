import {
  type JSONRPCMessage,
  WebStandardStreamableHTTPServerTransport,
  type WebStandardStreamableHTTPServerTransportOptions,
} from "@modelcontextprotocol/server";

import type { RequestId } from "../store/store.ts";

type SendOptions = Parameters<WebStandardStreamableHTTPServerTransport["send"]>[1];

/**
 * The SDK's session transport. Its requests to the client carry the instance in their ids (`<instance>.<n>`), because the answer may arrive
 * at any instance, and each instance counts from 0.
 */
export class SessionTransport extends WebStandardStreamableHTTPServerTransport {
  readonly #prefix: string;

  constructor(instance: string, options: WebStandardStreamableHTTPServerTransportOptions) {
    super(options);
    this.#prefix = `${instance}.`;
  }

  override send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    return super.send(this.#outgoing(message), options);
  }

  /** Handles a client's answer to a request of this instance. */
  answer(message: { id: string }): void {
    const id = Number(message.id.slice(this.#prefix.length));
    if (Number.isSafeInteger(id)) this.onmessage?.({ ...message, id } as JSONRPCMessage);
  }

  /**
   * Ends a request that the client cancelled. The SDK sends no answer to it, and keeps its entry in the map from requests to streams for as
   * long as the session lives. In a batch, that entry also keeps the stream of the other requests open after their last answer.
   *
   * @param last no other request of the same POST is pending
   */
  abandon(request: RequestId, last: boolean): void {
    if (last) this.closeSSEStream(request);
    const { _requestToStreamMapping: streams } = this as unknown as {
      _requestToStreamMapping?: Map<RequestId, string>;
    };
    streams?.delete(request);
  }

  #outgoing(message: JSONRPCMessage): JSONRPCMessage {
    if (!("method" in message)) return message;
    if ("id" in message) return { ...message, id: this.#prefix + message.id };
    const { params } = message;
    // We cancel a request of ours: the client knows it by the longer id.
    if (message.method === "notifications/cancelled" && params && "requestId" in params)
      return { ...message, params: { ...params, requestId: `${this.#prefix}${params.requestId}` } };
    return message;
  }
}

/** The instance that sent a request to the client, from the id of the answer. */
export function senderOf(id: unknown): string | undefined {
  return typeof id === "string" && /^[0-9a-f]{16}\.\d+$/.test(id) ? id.split(".")[0] : undefined;
}
