import type { FastifyReply, FastifyRequest } from "fastify";

/** @returns the value as it was sent, which may be anything */
export function readCookie(request: FastifyRequest, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? "").split(/; */)) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at) === name) return pair.slice(at + 1);
  }
  return undefined;
}

/**
 * Adds a cookie for the whole host that scripts cannot read, beside those that were set on the raw response.
 *
 * @param value of characters that a cookie may have (RFC 6265, section 4.1.1)
 * @param seconds how long the browser keeps it; default: until it is closed
 */
export function addCookie(
  reply: FastifyReply,
  cookie: { name: string; value: string; secure: boolean; sameSite: "Lax" | "Strict"; seconds?: number },
): void {
  const { name, value, secure, sameSite, seconds } = cookie;
  const parts = [`${name}=${value}`, "Path=/", "HttpOnly", `SameSite=${sameSite}`];
  if (seconds !== undefined) parts.push(`Max-Age=${seconds}`);
  if (secure) parts.push("Secure");
  reply.raw.appendHeader("set-cookie", parts.join("; "));
}
