import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import { createSecureServer as createHttp3Server, type ServerHttp3Stream } from "@currentspace/http3";
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import type { CheckResult } from "../../../cli/doctor/check.ts";
import { CHECKS } from "../../../cli/doctor/checks/index.ts";
import { type DoctorOptions, runDoctor } from "../../../cli/doctor/run.ts";
import { freePort } from "../../support/free-port.ts";
import type { Handler } from "../http3/servers/backend.ts";
import { type Authority, createAuthority, type Issued } from "../http3/servers/certificates.ts";

export interface Closable {
  port: number;
  close(): Promise<void>;
}

/** Waits until `server` listens on a free port of 127.0.0.1; closing it also ends its connections. */
export async function listen(server: Server): Promise<Closable> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** What the tests of a suite share: a certificate authority, a certificate of it for edge.test, and servers that end with their test. */
export interface Fixture {
  readonly authority: Authority;
  readonly certificate: Issued;
  /** Closes a server after the test. */
  keep<T extends Closable>(server: Promise<T>): Promise<T>;
}

/** Makes the fixture of a suite. Its properties exist from the first test on. */
export function useFixture(): Fixture {
  let authority: Authority;
  let certificate: Issued;
  const running: Closable[] = [];
  beforeAll(() => {
    authority = createAuthority();
    certificate = authority.issue("edge.test");
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.close();
  });
  afterAll(() => authority.remove());
  return {
    get authority() {
      return authority;
    },
    get certificate() {
      return certificate;
    },
    async keep(server) {
      const started = await server;
      running.push(started);
      return started;
    },
  };
}

export type Routes = Record<string, Handler>;

const route =
  (routes: Routes): Handler =>
  (request, response) => {
    const handler = routes[new URL(request.url ?? "/", "http://x").pathname] ?? routes["*"];
    if (handler !== undefined) return handler(request, response);
    request.resume();
    response.writeHead(404).end();
  };

/** A TLS server of HTTP/2 and HTTP/1.1. */
export function tlsServer({ key, cert }: Issued, routes: Routes): Promise<Closable> {
  const handler = route(routes);
  return listen(
    createSecureServer(
      { key, cert, allowHTTP1: true },
      (request, response) => void handler(request, response),
    ),
  );
}

/** A TLS server of HTTP/1.1 only. */
export function tls1Server({ key, cert }: Issued, routes: Routes): Promise<Closable> {
  const handler = route(routes);
  return listen(createHttpsServer({ key, cert }, (request, response) => void handler(request, response)));
}

/** A plain HTTP server. */
export function httpServer(routes: Routes): Promise<Closable> {
  const handler = route(routes);
  return listen(createHttpServer((request, response) => void handler(request, response)));
}

/** Another HTTP/3 server than NGINX. */
export async function http3Server(
  { key, cert }: Issued,
  handler: (stream: ServerHttp3Stream, path: string) => void,
): Promise<Closable> {
  const server = createHttp3Server(
    { key, cert, runtimeMode: "portable" },
    (stream: ServerHttp3Stream, headers) => {
      stream.on("error", () => undefined);
      handler(stream, String(headers[":path"]));
    },
  );
  server.on("error", () => undefined);
  const port = await freePort();
  const listening = once(server, "listening");
  server.listen(port, "127.0.0.1");
  await listening;
  return { port, close: async () => void (await server.close()) };
}

/** For a check that gets an answer, milliseconds: on a slow host, that takes seconds. A test of what stays silent has a shorter limit. */
export const ANSWER_MS = 60_000;

/** Runs the named checks against a server on 127.0.0.1 that calls itself edge.test. */
export async function examine(
  ids: string[],
  server: { port: number },
  options: Partial<DoctorOptions> = {},
): Promise<CheckResult[]> {
  const report = await runDoctor({
    url: `https://edge.test:${server.port}`,
    connect: "127.0.0.1",
    checks: CHECKS.filter(({ id }) => ids.includes(id)),
    timeoutMs: ANSWER_MS,
    ...options,
  });
  return report.checks;
}

/** Runs the named checks against an address as a user gives it, found by the resolver. */
export async function examineByName(ids: string[], url: string): Promise<CheckResult[]> {
  const report = await runDoctor({
    url,
    checks: CHECKS.filter(({ id }) => ids.includes(id)),
    timeoutMs: ANSWER_MS,
  });
  return report.checks;
}
