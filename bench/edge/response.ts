import { connect } from "node:http2";
import { request } from "node:https";
import { http3Fetch } from "../../cli/http3/http3-fetch.ts";
import type { Target } from "./target.ts";

export const PROTOCOLS = ["HTTP/1.1", "HTTP/2", "HTTP/3"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** A response on a connection of its own, whose body is read as it comes. */
export interface OpenResponse {
  readonly status: number;
  /** Resolves when the body has ended, however it did. */
  readonly ended: Promise<void>;
  close(): void;
}

export interface Call {
  readonly method: "GET" | "POST";
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly onText: (text: string) => void;
}

/** How long a connection may take to open and to answer, milliseconds. */
const TIMEOUT = 5_000;

type Open = (target: Target, call: Call) => Promise<OpenResponse>;

/** Opens a connection and sends one request for /mcp. @throws when there is no response */
export const open: Record<Protocol, Open> = {
  "HTTP/1.1": ({ url, ipv4, secureContext }, { method, headers, body, onText }) =>
    new Promise((done, fail) => {
      const { hostname, pathname: path } = url;
      const to = { host: ipv4, servername: hostname, path, secureContext, agent: false };
      const call = request({ ...to, method, headers: { host: hostname, ...headers } }, (response) => {
        clearTimeout(timer);
        const { promise: ended, resolve } = Promise.withResolvers<void>();
        response.setEncoding("utf8").on("data", onText).on("close", resolve).on("error", resolve);
        done({ status: response.statusCode ?? 0, ended, close: () => call.destroy() });
      });
      const timer = setTimeout(() => call.destroy(new Error("no response in time")), TIMEOUT);
      call.on("error", fail);
      call.end(body);
    }),

  "HTTP/2": ({ url, ipv4, secureContext }, { method, headers, body, onText }) =>
    new Promise((done, fail) => {
      const { hostname, pathname } = url;
      const session = connect(`https://${ipv4}`, { secureContext, servername: hostname });
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(() => session.destroy(new Error("no response in time")), TIMEOUT);
      const failed = (error: Error) => {
        clearTimeout(timer);
        fail(error);
        resolve();
      };
      session.on("error", failed);
      const pseudo = { ":method": method, ":path": pathname, ":authority": hostname };
      const call = session.request({ ...pseudo, ...headers });
      call.on("error", failed);
      call.on("close", () => {
        resolve();
        session.destroy();
      });
      call.once("response", (answer) => {
        clearTimeout(timer);
        done({ status: Number(answer[":status"]), ended, close: () => session.destroy() });
      });
      call.setEncoding("utf8").on("data", onText);
      call.end(body);
    }),

  async "HTTP/3"({ url, ipv4, ca }, { method, headers, body, onText }) {
    const limits = { connectTimeoutMs: TIMEOUT, headersTimeoutMs: TIMEOUT };
    const client = http3Fetch({ ca, address: ipv4, ...limits });
    const close = () => void client.close();
    try {
      const response = await client.fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      const read = async () => {
        for (;;) {
          const part = await reader?.read();
          if (part === undefined || part.done) return;
          onText(part.value);
        }
      };
      const ended = read().catch(() => undefined);
      void ended.then(close);
      return { status: response.status, ended, close };
    } catch (error) {
      close();
      throw error;
    }
  },
};
