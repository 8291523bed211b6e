/** A response of JSON-RPC 2.0: one of the two. */
interface RpcResponse<T> {
  readonly result?: T;
  readonly error?: unknown;
}

/** Sends a request by POST, and reads its response, be that JSON or an event stream. */
export async function rpc<T>(
  url: string,
  method: string,
  params: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<RpcResponse<T>> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      ...headers,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const text = await response.text();
  // The last message of a stream is the response; log messages and progress come before it.
  return JSON.parse([...text.matchAll(/^data: (\{.*)$/gm)].at(-1)?.[1] ?? text);
}
