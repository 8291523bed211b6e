import { type IncomingMessage, ServerResponse } from "node:http";

/** Node's response, with what the metrics need of it. Every way to begin one passes through `writeHead`. */
export class TimedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** When the headers were written, in terms of `performance.now()`. */
  headAt: number | undefined;
  /** Whether it is a stream that stays open until one side closes it. Its duration says nothing about the server. */
  longLived = false;

  override writeHead(...head: unknown[]): this {
    this.headAt ??= performance.now();
    return (super.writeHead as (...head: unknown[]) => this)(...head);
  }
}
