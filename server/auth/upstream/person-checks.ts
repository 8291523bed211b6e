import { type AuthEvents, eventText } from "../events.ts";
import { endAccess } from "../oauth/connections.ts";
import type { OAuthStore } from "../oauth/store.ts";
import type { Person } from "../people.ts";
import { type Identified, ProviderRefusal } from "./identity.ts";
import type { KnownIdentities, KnownIdentity } from "./known-identities.ts";
import type { OpenProvider } from "./open-provider.ts";

const MODEL = "ProviderCheck";
/** Only one check of a person runs at a time. After a failed one, the next has to wait for this time, milliseconds. */
const CLAIM_MS = 60_000;
/** While a provider fails, its people keep their access for this time after their last check, milliseconds. */
const DOWN_MS = 24 * 3_600_000;
/** How long a sign-in lasts where the provider gave no token to check with, milliseconds. */
export const WITHOUT_TOKEN_MS = 7 * 86_400_000;

export interface PersonChecksOptions {
  readonly providers: readonly OpenProvider[];
  readonly directory: { readonly store: OAuthStore };
  readonly identities: KnownIdentities;
  readonly events: AuthEvents;
  readonly localSignIn: boolean;
  /** Shortest time between two checks of a person, milliseconds. */
  readonly checkMs: number;
  readonly now: () => number;
  readonly admit: (
    open: OpenProvider,
    identified: Identified,
  ) => Promise<{ person: Person } | { reason: string }>;
  readonly onProblem: (problem: Error) => void;
}

/**
 * Whether people of a provider are still there and still allowed. A person who left loses everything here: clients, browsers, remembered
 * consents. Access tokens end within two seconds of that.
 */
export class PersonChecks {
  readonly #options: PersonChecksOptions;

  constructor(options: PersonChecksOptions) {
    this.#options = options;
  }

  /** @throws CannotCheck when the provider fails for too long */
  async confirm(person: Person): Promise<boolean> {
    const { identities, providers, localSignIn, checkMs, now } = this.#options;
    const known = await identities.find(person.id);
    // The doctor's account has no credential but links that root makes.
    if (!known) return localSignIn || person.login === "doctor";
    const open = providers.find(
      ({ settings }) => settings.provider === known.provider && settings.issuer === known.issuer,
    );
    if (!open) return false;
    const age = now() - known.checkedAt;
    if (age < checkMs) return true;
    const token = known.token === undefined ? undefined : await open.tokens.open(known.token);
    if (!token) return age < WITHOUT_TOKEN_MS || this.#end(person, known, "the last sign-in is a week ago");
    if (!(await this.#claim(person))) return this.#unchecked(age);
    try {
      const { issuer, subject, user } = known;
      const before = { issuer, subject, user, name: person.name, emails: [], domains: [], groups: [] };
      const identified = await open.provider.check(token, before);
      const admitted = await this.#options.admit(open, identified);
      await this.#release(person);
      return "person" in admitted || this.#end(person, known, admitted.reason);
    } catch (error) {
      const reason = eventText((error as Error).message);
      if (error instanceof ProviderRefusal) {
        await this.#release(person);
        return this.#end(person, known, `${known.provider} refused: ${reason}`);
      }
      this.#options.onProblem(new Error(`check of ${person.login}: ${reason}`));
      return this.#unchecked(age);
    }
  }

  #unchecked(age: number): boolean {
    if (age < DOWN_MS) return true;
    throw new CannotCheck();
  }

  async #end(person: Person, known: KnownIdentity, reason: string): Promise<false> {
    const { directory, identities, events, now } = this.#options;
    await identities.forgetToken(known);
    const grants = await endAccess(directory.store, person.id, now());
    for (const grant of grants) events.emit({ type: "grant.revoked", grant, by: "provider" });
    events.emit({ type: "sign-in.refused", login: person.login, reason: `access ended: ${reason}` });
    return false;
  }

  /** A refresh token that rotates works once: two checks at the same moment would end it. */
  #claim({ id }: Person): Promise<boolean> {
    const expiresAt = this.#options.now() + CLAIM_MS;
    return this.#options.directory.store.add({ model: MODEL, id, payload: {}, expiresAt });
  }

  #release({ id }: Person): Promise<void> {
    return this.#options.directory.store.remove(MODEL, id);
  }
}

/** For oidc-provider: clients try again later. */
class CannotCheck extends Error {
  readonly error = "temporarily_unavailable";
  readonly error_description = "the identity provider of this person cannot be reached; try again later";
  readonly status = 503;
  readonly statusCode = 503;
  readonly expose = true;
  readonly allow_redirect = true;
  constructor() {
    super("temporarily_unavailable");
  }
}
