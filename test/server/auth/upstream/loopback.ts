import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { freePort } from "../../../support/free-port.ts";

export interface Loopback extends AsyncDisposable {
  readonly origin: string;
  /** Takes no more connections until `open`: the provider is down. */
  stop(): Promise<void>;
  open(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A plain HTTP server on loopback. @param handler gets the server's origin first */
export async function loopback(handler: (origin: string) => Handler): Promise<Loopback> {
  let handle: Handler = () => undefined;
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error: Error) => {
      response.statusCode = 500;
      response.end(error.message);
    });
  });
  // A port that nobody else takes while the provider is down.
  const port = await freePort();
  const open = () => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  await open();
  const origin = `http://127.0.0.1:${port}`;
  handle = handler(origin);
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin, stop, open, [Symbol.asyncDispose]: stop };
}

export async function bodyOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

export function redirect(response: ServerResponse, location: URL | string): void {
  response.writeHead(302, { location: String(location) });
  response.end();
}
