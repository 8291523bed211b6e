import { connect, type Socket } from "node:net";

/** Response bytes that are read at once; those of a call of 200 B arrive whole. */
const READ_BYTES = 64 * 1024;
const HEAD_END = "\r\n\r\n";

const EMPTY = Buffer.alloc(0);

/** A response with `Content-Length`. The body's bytes are those of the connection's buffer, which the next response overwrites. */
export interface Response {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * One kept HTTP/1.1 connection, with one request at a time. Node's client leaves some 20 KB of objects for each request. To collect them takes
 * 10 ms, ten times a second, which would count as the server's latency. This one reads into a buffer of its own, and keeps nothing.
 */
export class KeptConnection {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #path: string;
  #received: Buffer = EMPTY;
  #done: ((response: Response | Error) => void) | undefined;

  constructor(url: string) {
    const { hostname, port, host, pathname } = new URL(url);
    this.#host = host;
    this.#path = pathname;
    const read = (bytes: number, buffer: Uint8Array) => {
      this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      return true;
    };
    const onread = { buffer: Buffer.alloc(READ_BYTES), callback: read };
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread });
    this.#socket.once("error", (error) => this.#end(error));
    this.#socket.once("close", () => this.#end(new Error("the server closed the connection")));
  }

  /** @returns the head of a POST, up to its body */
  head(headers: Readonly<Record<string, string>>, bodyBytes: number): string {
    const lines = Object.entries({ host: this.#host, ...headers, "content-length": bodyBytes });
    return `POST ${this.#path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  }

  post(request: string, done: (response: Response | Error) => void): void {
    if (this.#socket.destroyed) done(new Error("the connection is closed"));
    else {
      this.#done = done;
      this.#socket.write(request, "latin1");
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    const received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const response = whole(received);
    if (response === undefined) {
      this.#received = received === bytes ? Buffer.from(bytes) : received;
      return;
    }
    this.#received = EMPTY;
    this.#end(response);
  }

  #end(response: Response | Error): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(response);
  }
}

/** @returns undefined while the response isn't whole */
function whole(received: Buffer): Response | Error | undefined {
  const end = received.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = received.toString("latin1", 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) return new Error(`no Content-Length: ${head}`);
  const body = received.subarray(end + HEAD_END.length);
  return body.length < Number(length) ? undefined : { status: Number(head.slice(9, 12)), body };
}
