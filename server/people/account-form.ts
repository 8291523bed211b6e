import type { FastifyRequest } from "fastify";
import type { AuthorizationServer } from "../auth/oauth/authorization-server.ts";
import type { BrowserSession } from "../auth/oauth/browser-sessions.ts";
import { checkFormToken, formToken } from "../auth/oauth/form-token.ts";

/** The hidden field `csrf` of the forms of `/account` and of the pages under it: for this browser's session. */
export const accountFormToken = ({ keys }: AuthorizationServer, { uid }: BrowserSession): string =>
  formToken(keys, `account ${uid}`);

/** @returns what was sent @throws Refusal 403 when the form is not from a page of this session */
export function checkAccountForm(
  server: AuthorizationServer,
  request: FastifyRequest,
  session: BrowserSession,
): URLSearchParams {
  const form = new URLSearchParams(typeof request.body === "string" ? request.body : "");
  const expected = accountFormToken(server, session);
  checkFormToken(request, { origin: server.issuer, expected, given: form.get("csrf") });
  return form;
}
