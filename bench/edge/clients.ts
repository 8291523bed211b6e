import { type ClientHttp2Session, connect } from "node:http2";
import { Agent, request } from "node:https";
import { http3Fetch } from "../../cli/http3/http3-fetch.ts";
import type { Target } from "./target.ts";

export interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** A client that sends requests at the same time. */
export interface Client {
  /** @returns the status of the answer @throws when none came within TIMEOUT */
  send(call: Call): Promise<number>;
  close(): void;
}

/** How long a client waits for an answer, milliseconds. */
export const TIMEOUT = 10_000;
/** Connections that a client over HTTP/1.1 keeps. */
const KEPT = 16;
/** Bytes of answers that may be on their way on a connection over HTTP/2. */
const WINDOW = 16 * 1024 * 1024;

function overHttp1({ url, ipv4, secureContext }: Target, agent: Agent | false): Client {
  return {
    send: ({ method, path, headers, body }) =>
      new Promise((done, fail) => {
        const to = { host: ipv4, servername: url.hostname, path, secureContext, agent };
        const signal = AbortSignal.timeout(TIMEOUT);
        const options = { ...to, signal, method, headers: { host: url.hostname, ...headers } };
        const call = request(options, (response) => {
          response.resume();
          response.on("end", () => done(response.statusCode ?? 0)).on("error", fail);
        });
        call.on("error", fail);
        call.end(body);
      }),
    close: () => {
      if (agent) agent.destroy();
    },
  };
}

/** One connection, and a new one when it has ended or a request got no answer on it. */
function overHttp2({ url, ipv4, secureContext }: Target): Client {
  let session: ClientHttp2Session | undefined;
  const connected = () => {
    if (session && !session.closed && !session.destroyed) return session;
    const fresh = connect(`https://${ipv4}`, { secureContext, servername: url.hostname });
    // Node's default for all answers together, 64 KiB, would let them wait for each other.
    fresh.once("connect", () => fresh.setLocalWindowSize(WINDOW));
    fresh.on("error", () => undefined);
    fresh.on("goaway", () => {
      if (session === fresh) session = undefined;
    });
    session = fresh;
    return fresh;
  };
  return {
    send: ({ method, path, headers, body }) =>
      new Promise((done, fail) => {
        const used = connected();
        const pseudo = { ":method": method, ":path": path, ":authority": url.hostname };
        const call = used.request({ ...pseudo, ...headers });
        const timer = setTimeout(() => {
          used.destroy(new Error(`no answer within ${TIMEOUT / 1_000} s`));
        }, TIMEOUT);
        let status = 0;
        call.on("response", (answer) => {
          status = Number(answer[":status"]);
        });
        call.resume();
        call.on("end", () => done(status));
        call.on("error", fail);
        call.on("close", () => {
          clearTimeout(timer);
          fail(new Error("the connection ended"));
        });
        call.end(body);
      }),
    close: () => session?.destroy(),
  };
}

/**
 * One connection, and a new one when it has ended or a request got no answer on it. The client repeats a GET on a new one when the
 * connection has ended (RFC 9110, section 9.2.2).
 */
function overHttp3({ url, ipv4, ca }: Target): Client {
  const client = http3Fetch({ ca, address: ipv4, connectTimeoutMs: 3_000, headersTimeoutMs: TIMEOUT });
  return {
    send: async ({ method, path, headers, body }) => {
      const to = new URL(path, url);
      // Of the whole body. The client itself waits as long as TIMEOUT for the headers.
      const signal = AbortSignal.timeout(TIMEOUT + 1_000);
      const response = await client.fetch(to, {
        ...{ method, headers, signal },
        ...(body === undefined ? {} : { body }),
      });
      await response.arrayBuffer();
      return response.status;
    },
    close: () => void client.close(),
  };
}

/** The kinds of clients that take turns. */
export const KINDS = {
  "HTTP/1.1 new": (target: Target) => overHttp1(target, false),
  "HTTP/1.1 kept": (target: Target) => overHttp1(target, new Agent({ keepAlive: true, maxSockets: KEPT })),
  "HTTP/2": overHttp2,
  "HTTP/3": overHttp3,
} as const satisfies Record<string, (target: Target) => Client>;
export type Kind = keyof typeof KINDS;
