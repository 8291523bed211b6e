import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

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
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  handle = handler(origin);
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin, stop, open: () => listen(port), [Symbol.asyncDispose]: stop };
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
