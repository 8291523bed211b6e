import type { FastifyRequest } from "fastify";
import { acceptForSdk } from "./accept.ts";

/** The request in the form that the SDK needs, without the credentials: a tool cannot leak what it cannot see. */
export function webRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && name !== "authorization" && name !== "cookie")
      headers.set(name, name.startsWith("mcp-") ? withoutDuplicates(String(value)) : String(value));
  headers.set("accept", acceptForSdk(request.method));
  return new Request(`http://${request.headers.host ?? "localhost"}/mcp`, {
    method: request.method,
    headers,
    signal,
  });
}

/** A header that is sent twice with the same value, by a client and by its user's configuration, counts as sent once. */
function withoutDuplicates(value: string): string {
  const [first = "", ...others] = value.split(", ");
  return others.every((other) => other === first) ? first : value;
}
