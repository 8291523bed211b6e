import { EventEmitter } from "node:events";
import type { EventOrigin } from "./event-origin.ts";
import type { Scope } from "./principal.ts";

/** How a person proved who they are. */
export type SignInMethod = "password" | "passkey" | "recovery-code" | "enrolment" | "link" | "upstream";

/** What a person signs in with. */
export type Credential = "passkey" | "password" | "authenticator" | "recovery-codes";
export type CredentialChange = "added" | "renamed" | "replaced" | "removed";

/**
 * What happens in sign-in and authorization. Never holds a secret: no token, code, verifier, password, or client secret. Text that a
 * client sent (`name`, `reason`) is cut to 200 characters.
 */
export type AuthEventBody =
  /** A client read a metadata document. */
  | { type: "metadata.read"; document: "protected-resource" | "authorization-server" }
  | { type: "client.registered"; client: string; name: string; redirects: readonly string[] }
  | { type: "client.registration-refused"; reason: string; name?: string }
  /** A client metadata document (CIMD) was fetched, or a kept or pinned copy stood in for it. */
  | { type: "client.document"; client: string; from: "network" | "stored" | "pinned"; problem?: string }
  | { type: "client.document-refused"; client: string; reason: string }
  | { type: "authorization.started"; client: string; redirect: string; scopes: readonly string[] }
  | { type: "authorization.refused"; client?: string; error: string; reason: string }
  /** The browser goes back to the client with a code. */
  | { type: "authorization.granted"; client: string; person: string }
  | { type: "sign-in"; person: string; how: SignInMethod; client?: string }
  | { type: "sign-in.refused"; login?: string; reason: string; client?: string }
  | { type: "sign-out"; person: string }
  /** A person signed their other browsers out. */
  | { type: "sessions.ended"; person: string; sessions: number }
  /** A person changed how they sign in. */
  | { type: "credential.changed"; person: string; credential: Credential; change: CredentialChange }
  | { type: "consent"; person: string; client: string; scopes: readonly Scope[]; remembered: boolean }
  | { type: "consent.refused"; person?: string; client: string }
  | { type: "token.issued"; person: string; client: string; grant: string; scopes: readonly string[] }
  /** `grace`: the refresh token had been used moments before (a duplicate or late refresh). */
  | { type: "token.refreshed"; person: string; client: string; grant: string; grace: boolean }
  /** A used refresh token or code came again after the grace: its grant was revoked. */
  | { type: "token.reused"; client: string; grant: string; what: "refresh-token" | "code" }
  /** A client revoked an access token alone. */
  | { type: "token.revoked"; person: string; client: string; grant: string }
  | { type: "token.refused"; client?: string; error: string; reason: string }
  | {
      type: "grant.revoked";
      grant: string;
      by: "client" | "person" | "operator" | "reuse" | "provider";
      person?: string;
    }
  /** `/mcp` or `/api` refused a bearer token. */
  | { type: "bearer.refused"; reason: string }
  | { type: "keys.rotated"; key: string };

export type AuthEvent = AuthEventBody & EventOrigin & { /** Milliseconds since 1970. */ readonly at: number };

/** One emitter for all of them; the audit log and `oauth trace` subscribe. A subscriber that throws disturbs nobody. */
export class AuthEvents {
  readonly #emitter = new EventEmitter<{ event: [AuthEvent] }>();
  readonly #onError: (error: Error) => void;

  constructor(onError: (error: Error) => void = () => undefined) {
    this.#onError = onError;
    this.#emitter.setMaxListeners(50);
  }

  emit(body: AuthEventBody, origin: EventOrigin = {}): void {
    this.#emitter.emit("event", { ...body, ...origin, at: Date.now() });
  }

  /** @returns ends the subscription */
  subscribe(subscriber: (event: AuthEvent) => void): () => void {
    const guarded = (event: AuthEvent) => {
      try {
        subscriber(event);
      } catch (error) {
        this.#onError(error as Error);
      }
    };
    this.#emitter.on("event", guarded);
    return () => this.#emitter.off("event", guarded);
  }
}

/**
 * Text of a client for an event or a page: without control characters, those for the direction of text among them (they could turn round
 * what stands beside it), at most 200 characters.
 */
export function eventText(text: unknown): string {
  return String(text)
    .slice(0, 200)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, " ");
}
