import { createHmac, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { Refusal } from "../../http/errors.ts";
import type { KeySet } from "./keys.ts";

/** The hidden field of a form, against CSRF: bound to `purpose`, which names the page and the browser's session or sign-in. */
export function formToken(keys: KeySet, purpose: string): string {
  return createHmac("sha256", keys.cookies[0] ?? "")
    .update(`csrf ${purpose}`)
    .digest("base64url");
}

/**
 * @param origin this server's
 * @param expected what `formToken` made for the page
 * @throws Refusal 403 when the form is not from this page in this browser
 */
export function checkFormToken(
  request: FastifyRequest,
  { origin, expected, given }: { origin: string; expected: string; given: unknown },
): void {
  const sent = Buffer.from(typeof given === "string" ? given : "");
  const wanted = Buffer.from(expected);
  const sameSite = request.headers.origin === undefined || request.headers.origin === origin;
  if (sameSite && sent.length === wanted.length && timingSafeEqual(sent, wanted)) return;
  throw new Refusal(403, "This form is not from this page. Go back and try again.");
}
