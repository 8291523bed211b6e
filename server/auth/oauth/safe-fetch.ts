import { lookup as dnsLookup } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { type RequestOptions, request } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";

export interface SafeFetchOptions {
  /** A body that is longer is refused, bytes. */
  readonly maxBytes: number;
  /** For the whole answer, milliseconds. Default 3,000. */
  readonly timeoutMs?: number;
  /** Default: a GET without a body. */
  readonly method?: string;
  /** Beside `accept` and `user-agent`, which these may replace; in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Tests only: how a name is resolved, which addresses count as public, which ports are allowed, and which roots are trusted. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly isPublic?: (address: string) => boolean;
  readonly ports?: readonly string[];
  readonly ca?: RequestOptions["ca"];
}

const resolveAll = async (host: string) =>
  (await dnsLookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/**
 * Reads a JSON document from a URL that a stranger chose, for example a client metadata document. It cannot be used to reach into networks
 * around this server (SSRF): only `https` on port 443; a name is resolved once, every address of it must be public, and the connection goes
 * to one of these very addresses, so that a name that resolves to another address a moment later (DNS rebinding) gains nothing; redirects
 * are returned, never followed; body, header and time have limits. No cookies are sent, and no credentials but those in `headers`.
 *
 * @throws with the reason, without the response
 */
export async function safeFetch(url: string, options: SafeFetchOptions): Promise<Response> {
  const { resolve = resolveAll, isPublic = isPublicAddress, ports = [""], timeoutMs = 3_000 } = options;
  const target = new URL(url);
  if (target.protocol !== "https:") throw new Error("only https URLs are fetched");
  if (target.username || target.password) throw new Error("the URL has credentials");
  if (!ports.includes(target.port)) throw new Error("only port 443 is fetched");
  const host = target.hostname.replace(/^\[(.*)\]$/, "$1");
  const signal = AbortSignal.timeout(timeoutMs);
  const addresses = isIP(host) ? [host] : await withSignal(resolve(host), signal);
  const [address] = addresses;
  if (address === undefined) throw new Error("the host has no address");
  if (!addresses.every(isPublic)) throw new Error("the host has an address that is not public");
  const lookup: LookupFunction = (_host, { all }, done) => {
    const family = isIP(address);
    if (all) done(null, [{ address, family }]);
    else done(null, address, family);
  };
  const { promise, resolve: answered, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = request(
    target,
    {
      agent: false,
      method: options.method ?? "GET",
      lookup,
      signal,
      maxHeaderSize: 16_384,
      headers: { accept: "application/json", "user-agent": "mcp-edge", ...options.headers },
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    },
    answered,
  );
  outgoing.once("error", reject);
  outgoing.end(options.body);
  try {
    const incoming = await promise;
    return new Response(await bodyOf(incoming, options.maxBytes), {
      status: incoming.statusCode ?? 502,
      headers: headersOf(incoming),
    });
  } finally {
    outgoing.destroy();
  }
}

async function bodyOf(incoming: IncomingMessage, maxBytes: number): Promise<Buffer<ArrayBuffer> | null> {
  const status = incoming.statusCode ?? 0;
  return [204, 205, 304].includes(status) ? null : limitedBody(incoming, maxBytes);
}

/** @throws when there is more; the caller ends the connection */
export async function limitedBody(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the document is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Only what its reader needs. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ["content-type", "cache-control", "expires"] as const) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", abort));
}
