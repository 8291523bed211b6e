import type { FastifyReply, FastifyRequest } from "fastify";
import type { AuthorizationServer } from "../auth/oauth/authorization-server.ts";
import type { BrowserSession } from "../auth/oauth/browser-sessions.ts";
import type { Person } from "../auth/people.ts";

/** The pages for people who are signed in. A sign-in leads back to one of these and to nowhere else. */
export const SIGNED_IN_PAGES = ["/account", "/account/passkey", "/account/password", "/status"] as const;
export type SignedInPage = (typeof SIGNED_IN_PAGES)[number];

/** How long after a sign-in a person may change how they sign in, milliseconds. */
const FRESH_MS = 10 * 60_000;

/** Somebody who is signed in in this browser. */
export interface Visitor {
  readonly session: BrowserSession;
  readonly person: Person;
}

/** @returns undefined when nobody is signed in here, or the person was removed */
export async function visitorOf(
  { sessions, people }: Pick<AuthorizationServer, "sessions" | "people">,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Visitor | undefined> {
  const session = await sessions.signedIn(request, reply);
  const person = session && (await people.find(session.person));
  return person && { session, person };
}

/** Whether the person proved who they are moments ago: who found an open browser has not. */
export const isFresh = ({ session }: Visitor): boolean => Date.now() - session.signedInAt < FRESH_MS;

/** Where a browser signs in and comes back. @param again also when somebody is signed in */
export const signInUrl = (to: SignedInPage, again = false): string =>
  `/sign-in?to=${encodeURIComponent(to)}${again ? "&again=yes" : ""}`;

/** The page that a query names; `/account` for everything else. */
export const pageToReturnTo = (query: URLSearchParams): SignedInPage =>
  SIGNED_IN_PAGES.find((page) => page === query.get("to")) ?? "/account";
