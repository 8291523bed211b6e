/** The request of `fetch(input, init)`, ready to be sent, with its body as bytes or a stream. */
export interface Outgoing {
  url: URL;
  method: string;
  /** The caller's header `Host`, with which the request may name another host than the handshake, or else the URL's host. */
  authority: string;
  /** Lower-case names, without those that HTTP/2 and HTTP/3 forbid. */
  headers: Record<string, string>;
  body: Uint8Array | ReadableStream<Uint8Array> | undefined;
  signal: AbortSignal | undefined;
  redirect: Request["redirect"];
}

/** Connection-specific fields do not exist in HTTP/2 and HTTP/3 (RFC 9113 section 8.2.2, RFC 9114 section 4.2). */
const FORBIDDEN = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "host",
]);

type FetchInput = Parameters<typeof globalThis.fetch>[0];

/** Whether the whole body is known, so that a Content-Length can be sent and the request repeated. */
function isWhole(body: unknown): boolean {
  return (
    typeof body === "string" ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof URLSearchParams ||
    body instanceof Blob ||
    body instanceof FormData
  );
}

/**
 * Reads `fetch` arguments. A body that is a stream or an async iterable stays a stream; everything else becomes bytes
 * with a Content-Length.
 * @throws TypeError when the URL is not https, since these clients support only TLS
 */
export async function toOutgoing(input: FetchInput, init?: RequestInit): Promise<Outgoing> {
  const given = init?.body ?? undefined;
  const streaming = given === undefined ? input instanceof Request && input.body !== null : !isWhole(given);
  const request = new Request(input, { ...init, ...(streaming ? { duplex: "half" } : {}) } as RequestInit);
  const url = new URL(request.url);
  if (url.protocol !== "https:") {
    throw new TypeError(`Only https URLs can be fetched here, not ${url.protocol}//${url.host}`);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) if (!FORBIDDEN.has(name)) headers[name] = value;
  headers["user-agent"] ??= "mcp-edge";
  headers.accept ??= "*/*";

  let body: Outgoing["body"];
  if (streaming) body = request.body ?? undefined;
  else if (given !== undefined) {
    body = new Uint8Array(await request.arrayBuffer());
    headers["content-length"] = String(body.byteLength);
  }
  return {
    url,
    method: request.method,
    authority: request.headers.get("host") ?? url.host,
    headers,
    body,
    signal: init?.signal ?? (input instanceof Request ? input.signal : undefined),
    redirect: request.redirect,
  };
}
