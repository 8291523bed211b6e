import {
  type JSONRPCMessage,
  WebStandardStreamableHTTPServerTransport,
  type WebStandardStreamableHTTPServerTransportOptions,
} from "@modelcontextprotocol/server";

import type { RequestId } from "../store/store.ts";

type SendOptions = Parameters<WebStandardStreamableHTTPServerTransport["send"]>[1];

/**
 * The SDK's session transport, whose requests to the client carry the instance in their ids (`<instance>.<n>`): the answer may come in at
 * any instance, and each counts from 0.
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

  /** Takes in a client's answer to a request of this instance. */
  answer(message: { id: string }): void {
    const id = Number(message.id.slice(this.#prefix.length));
    if (Number.isSafeInteger(id)) this.onmessage?.({ ...message, id } as JSONRPCMessage);
  }

  /**
   * Ends the answer to a request that the client took back. The SDK sends nothing for one, and then keeps its entry in the map from requests
   * to streams for as long as the session lives; in a batch that entry also keeps the stream of the others open after their last answer.
   *
   * @param last no other request of the same POST waits for an answer
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
    // Taking back a request of ours: the client knows it by the longer id.
    if (message.method === "notifications/cancelled" && params && "requestId" in params)
      return { ...message, params: { ...params, requestId: `${this.#prefix}${params.requestId}` } };
    return message;
  }
}

/** The instance that asked, from the id of an answer. */
export function askedBy(id: unknown): string | undefined {
  return typeof id === "string" && /^[0-9a-f]{16}\.\d+$/.test(id) ? id.split(".")[0] : undefined;
}
