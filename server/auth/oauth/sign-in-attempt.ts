import type { FastifyRequest } from "fastify";
import { Refusal } from "../../http/errors.ts";
import type { BucketStore } from "../../http/limits/buckets.ts";
import { takeForNetwork } from "../../http/limits/network-buckets.ts";
import type { SignedIn } from "../people.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import { sourceOf } from "./known-browser.ts";

/** Attempts to sign in from one network, one known browser, or, with a passkey, one visit: at once, and a minute. */
const ATTEMPTS = { atOnce: 10, perMinute: 10 } as const;

/** The page on which somebody tries to sign in. */
export interface SignInVisit {
  /** An id that only this browser knows. The passkey's challenge belongs to it. */
  readonly uid: string;
  /** Notes an attempt that failed. */
  refused(login: string, reason: string): void;
}

export interface SignInAttemptOptions {
  readonly server: Pick<AuthorizationServer, "issuer" | "people">;
  readonly buckets: BucketStore;
}

/**
 * Checks what somebody sent with a sign-in form: a passkey's answer, or login, password and code.
 *
 * @returns the person, or what to tell them; which of the three is wrong is not said
 * @throws Refusal 429 after too many attempts
 */
export async function attemptSignIn(
  request: FastifyRequest,
  form: URLSearchParams,
  visit: SignInVisit,
  { server, buckets }: SignInAttemptOptions,
): Promise<SignedIn | { problem: string }> {
  const { people } = server;
  const login = form.get("login") ?? "";
  const passkey = form.get("passkey") ?? "";
  // A passkey cannot be guessed. Its attempts are counted by visit, so that nobody on the same network can use them up.
  const source = passkey ? `visit ${visit.uid}` : await sourceOf(request, server, login);
  const bucket = await takeForNetwork(buckets, {
    purpose: "sign-in:",
    client: source,
    capacity: ATTEMPTS.atOnce,
    perSecond: ATTEMPTS.perMinute / 60,
  });
  if (!bucket.allowed) {
    visit.refused(login, "too many attempts from this network");
    throw new Refusal(
      429,
      "Too many attempts. Wait a minute and try again.",
      Math.ceil(bucket.waitMs / 1_000),
    );
  }
  const password = form.get("password") ?? "";
  const code = form.get("code") ?? "";
  const signedIn = passkey
    ? await people.signInByPasskey(visit.uid, passkey)
    : await people.signIn({ login, password, code, source }).catch((error) => {
        if (error instanceof Refusal) visit.refused(login, error.message);
        throw error;
      });
  if (signedIn) return signedIn;
  visit.refused(login, `wrong ${passkey ? "passkey" : "login, password or code"}`);
  return {
    problem: passkey
      ? "This passkey is not known here, or the page was too old. Try again."
      : "The login, the password or the code is wrong.",
  };
}
