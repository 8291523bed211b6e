import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";

/**
 * One page of a list. The cursor is the position of the next page. It is valid at any instance, and for a list that has grown.
 *
 * @throws ProtocolError -32602 for a cursor that this server did not issue
 */
export function page<T>(
  all: readonly T[],
  cursor: string | undefined,
  size: number,
): { items: T[]; nextCursor?: string } {
  const text = cursor === undefined ? "0" : Buffer.from(cursor, "base64url").toString();
  if (!/^\d{1,9}$/.test(text))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The cursor was not issued by this server.");
  const start = Number(text);
  const end = start + size;
  const items = all.slice(start, end);
  return end < all.length ? { items, nextCursor: Buffer.from(String(end)).toString("base64url") } : { items };
}
