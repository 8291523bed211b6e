import { EventEmitter } from "node:events";
import type { StreamSink } from "../../../server/http/event-stream.ts";

/** Node's response, without a connection: a client that reads when the test says so. */
export class FakeResponse extends EventEmitter implements StreamSink {
  /** The client does not read: the socket takes one more piece, and then no more until `read`. */
  full = false;
  destroyed = false;
  writableEnded = false;
  statusCode = 0;
  headers: Readonly<Record<string, unknown>> = {};
  /** Lengths of the writes. */
  readonly writes: number[] = [];
  text = "";

  writeHead(status: number, headers: Readonly<Record<string, unknown>>): this {
    this.statusCode = status;
    this.headers = headers;
    return this;
  }

  write(piece: string | Uint8Array): boolean {
    this.writes.push(piece.length);
    this.text += Buffer.from(piece).toString();
    return !this.full;
  }

  end(piece?: unknown): this {
    if (typeof piece === "string") this.text += piece;
    this.writableEnded = true;
    this.emit("close");
    return this;
  }

  destroy(): this {
    this.destroyed = true;
    this.emit("close");
    return this;
  }

  /** The client reads what the socket holds. */
  read(): void {
    this.full = false;
    this.emit("drain");
  }
}
