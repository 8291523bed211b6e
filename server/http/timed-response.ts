import { type IncomingMessage, ServerResponse } from "node:http";

/** Node's response, which notes when it begins. Every way to begin one passes through `writeHead`. */
export class TimedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** When the headers were written, in terms of `performance.now()`. */
  headAt: number | undefined;

  override writeHead(...head: unknown[]): this {
    this.headAt ??= performance.now();
    return (super.writeHead as (...head: unknown[]) => this)(...head);
  }
}
