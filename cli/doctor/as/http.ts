import type { IncomingHttpHeaders } from "node:http";
import { type RequestOptions, request } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { CheckFailure } from "../check.ts";
import type { Context } from "../context.ts";

/** A finished response of any host that the sign-in leads to. */
export interface Reply {
  url: URL;
  status: number;
  headers: IncomingHttpHeaders;
  /** At most 1 MiB. */
  body: string;
}

export interface Outgoing {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

const MAX_BODY = 1024 * 1024;

/**
 * One HTTPS request over HTTP/1.1, redirects handed out. The examined host is found where `--connect` says;
 * an authorization server elsewhere by DNS.
 * @throws CheckFailure when the URL is no https URL
 */
export function send(context: Context, url: URL, outgoing: Outgoing, signal: AbortSignal): Promise<Reply> {
  const { host, connect } = context.target;
  if (url.protocol !== "https:") throw new CheckFailure(`${url.href} is not an https URL`);
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const { method = "GET", headers = {}, body } = outgoing;
  const options: RequestOptions & ConnectionOptions = {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
    secureContext: context.secureContext,
    agent: false,
    signal,
    ...(url.hostname === host && connect ? { lookup: always(connect) } : {}),
  };
  const call = request(url, options, (response) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on("data", (part: Buffer) => {
      size += part.length;
      if (size <= MAX_BODY) parts.push(part);
    });
    response.on("error", reject);
    response.on("end", () =>
      resolve({
        url,
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(parts).toString("utf8"),
      }),
    );
  });
  call.on("error", reject);
  call.end(body);
  return promise;
}

function always(address: string): LookupFunction {
  const family = isIP(address);
  return (_host, options, done) => {
    if (options.all) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

/** The body as a JSON object. @throws CheckFailure that names what came instead */
export function jsonOf(reply: Reply): Record<string, unknown> {
  const type = reply.headers["content-type"] ?? "no Content-Type";
  let value: unknown;
  try {
    value = JSON.parse(reply.body);
  } catch {
    throw new CheckFailure(`status ${reply.status}, ${type}: ${preview(reply.body)} instead of JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CheckFailure(`status ${reply.status}: ${preview(reply.body)} instead of a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** The start of a body, for messages. */
export function preview(body: string): string {
  const text = body.replace(/\s+/g, " ").trim();
  if (text === "") return "an empty body";
  return text.length > 120 ? `"${text.slice(0, 120)}…"` : `"${text}"`;
}

/** What an OAuth error response says (RFC 6749 section 5.2), or the start of the body. */
export function oauthErrorOf(reply: Reply): string {
  try {
    const { error, error_description: description } = jsonOf(reply);
    if (typeof error === "string") {
      return `status ${reply.status}, ${error}${typeof description === "string" ? `: ${description}` : ""}`;
    }
  } catch {
    // Not JSON: the body itself is all there is.
  }
  return `status ${reply.status}: ${preview(reply.body)}`;
}
