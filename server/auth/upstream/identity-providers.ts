import { Refusal } from "../../http/errors.ts";
import type { Check } from "../../http/readiness.ts";
import type { ProviderButton } from "../../pages/sign-in.ts";
import type { PeopleStore } from "../../people/people-store.ts";
import { type AuthEvents, eventText } from "../events.ts";
import { SIGN_IN_PATH } from "../oauth/discovery.ts";
import type { Person } from "../people.ts";
import type { Scope } from "../principal.ts";
import { Attempts, type Visit } from "./attempts.ts";
import {
  type Identified,
  ProviderDown,
  ProviderRefusal,
  type SignInRequest,
  type SignInWishes,
} from "./identity.ts";
import { KnownIdentities } from "./known-identities.ts";
import type { OpenProvider } from "./open-provider.ts";
import { PersonChecks } from "./person-checks.ts";
import { providerCheck } from "./provider-status.ts";
import { matches } from "./rules.ts";
import type { ProviderSettings } from "./settings.ts";
import { SignInFailure } from "./sign-in-failure.ts";

export interface IdentityProvidersOptions {
  /** In the order of their buttons. */
  readonly providers: readonly OpenProvider[];
  /** The public origin of this server. */
  readonly issuer: string;
  readonly directory: PeopleStore;
  readonly events: AuthEvents;
  readonly grantedGroups: ReadonlySet<string>;
  /** Whether people of this server's own may sign in beside those of the providers. */
  readonly localSignIn: boolean;
  readonly checkMs: number;
  readonly now: () => number;
  readonly onProblem: (problem: Error) => void;
}

/** A client's sign-in, or the page to which people go who come by themselves. */
export type PageVisit = { readonly uid: string } | { readonly to: string };

/** Where a sign-in with a provider begins. @param otherAccount with another account than the one that is signed in there */
export function signInPath(provider: string, page: PageVisit, otherAccount = false): string {
  const name = encodeURIComponent(provider);
  const path = "uid" in page ? `${SIGN_IN_PATH}/${page.uid}/with/${name}` : `${SIGN_IN_PATH}/with/${name}`;
  const query = new URLSearchParams({
    ...("to" in page ? { to: page.to } : {}),
    ...(otherAccount ? { account: "other" } : {}),
  });
  return query.size === 0 ? path : `${path}?${query}`;
}

/** Sign-in with identity providers: Google, GitHub, Entra, any OpenID provider. */
export class IdentityProviders {
  readonly localSignIn: boolean;
  readonly #options: IdentityProvidersOptions;
  readonly #attempts: Attempts;
  readonly #identities: KnownIdentities;
  readonly #checks: PersonChecks;

  constructor(options: IdentityProvidersOptions) {
    const { directory, grantedGroups, now } = options;
    this.localSignIn = options.localSignIn;
    this.#options = options;
    this.#attempts = new Attempts(directory.store, now);
    this.#identities = new KnownIdentities({ directory, grantedGroups });
    this.#checks = new PersonChecks({
      ...options,
      identities: this.#identities,
      admit: (open, identified) => this.#admit(open, identified),
    });
  }

  /** For the sign-in page. */
  buttons(page: PageVisit): ProviderButton[] {
    return this.#options.providers.map(({ settings: { provider, label } }) => ({
      label,
      href: signInPath(provider, page),
    }));
  }

  /** For the providers' forms. Each has its own, so that an answer of one is never taken for another's (RFC 9700, section 4.4.2). */
  redirectUri(provider: string): string {
    return `${this.#options.issuer}/sign-in/callback/${provider}`;
  }

  /** Whether each provider can be reached, for the readiness probe. */
  get checks(): Check[] {
    return this.#options.providers.map(({ settings, provider }) =>
      providerCheck(
        settings.provider,
        provider,
        `its form must have the redirect URI ${this.redirectUri(settings.provider)}`,
        this.#options.now,
      ),
    );
  }

  /** @returns where the browser is sent @throws Refusal 502 while the provider cannot be reached */
  async begin(name: string, visit: Visit, wishes: SignInWishes = {}): Promise<URL> {
    const { provider, settings } = this.#open(name);
    const attempt = await this.#attempts.begin(settings.provider, visit);
    const request = { ...attempt, redirectUri: this.redirectUri(name) };
    return this.#answered(settings, () => provider.authorizationUrl(request, wishes));
  }

  /** @returns the visit to which the answer of a provider belongs */
  async visitOf(name: string, state: string | null): Promise<Visit> {
    const { settings } = this.#open(name);
    const attempt = state === null ? undefined : await this.#attempts.find(settings.provider, state);
    if (!attempt) throw expired();
    return attempt.visit;
  }

  /**
   * A browser comes back with the answer of a provider.
   *
   * @param visit of this browser, as a cookie proves it
   * @throws Refusal 403 for a person who may not sign in, 400 for an answer that does not belong here, 502 when the provider fails
   */
  async finish(name: string, visit: Partial<Visit>, answer: URLSearchParams): Promise<Person> {
    const open = this.#open(name);
    const { settings, provider } = open;
    const state = answer.get("state") ?? "";
    // The attempt of another browser stays: an answer that was sent to the wrong browser must not end it.
    if (!isSame(await this.visitOf(name, state), visit)) throw expired();
    const attempt = await this.#attempts.use(state);
    if (!attempt) throw expired();
    const request: SignInRequest = { ...attempt, state, redirectUri: this.redirectUri(name) };
    const identified = await this.#answered(settings, () => provider.identify(request, answer));
    const admitted = await this.#admit(open, identified);
    if ("person" in admitted) return admitted.person;
    const { who, reason } = admitted;
    throw new SignInFailure(
      403,
      `You are signed in at ${settings.label} as ${who}, and this account may not use this server. Ask its operator, or choose another account.`,
      reason,
      `${settings.provider}:${who}`,
    );
  }

  /**
   * Whether a person may go on to have access: called when a client refreshes its token and when a browser that is signed in authorizes a
   * client. See PersonChecks.
   */
  confirm(person: Person): Promise<boolean> {
    return this.#checks.confirm(person);
  }

  /** The person of this server, if the rules allow them. */
  async #admit(
    { settings, tokens }: OpenProvider,
    { identity, token }: Identified,
  ): Promise<{ person: Person } | { who: string; reason: string }> {
    if (!matches(settings.allow, identity)) {
      const { emails, groups, user, name } = identity;
      const who = eventText(emails[0] ?? (settings.provider === "github" ? user : name));
      const has = `${emails.length === 0 ? "no" : "a"} verified e-mail address and ${groups.length} groups`;
      return { who, reason: `no rule allows this person, who has ${has}` };
    }
    const scopes: Scope[] = matches(settings.ops, identity) ? ["code:read", "ops"] : ["code:read"];
    const kept = { token: token && (await tokens.seal(token)), now: this.#options.now() };
    return { person: await this.#identities.personOf(settings.provider, identity, scopes, kept) };
  }

  #open(name: string): OpenProvider {
    const open = this.#options.providers.find(({ settings }) => settings.provider === name);
    if (!open) throw new Refusal(404, "This server does not know such a sign-in.");
    return open;
  }

  async #answered<T>({ label }: ProviderSettings, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const reason = eventText((error as Error).message);
      if (error instanceof ProviderRefusal)
        throw new SignInFailure(
          400,
          `${label} did not sign you in. Try again, or choose another way.`,
          reason,
        );
      if (error instanceof ProviderDown)
        throw new SignInFailure(
          502,
          `${label} cannot be reached at the moment, or refuses this server. Try again in a minute.`,
          reason,
        );
      throw new SignInFailure(400, `The answer of ${label} cannot be trusted. Try again.`, reason);
    }
  }
}

const isSame = (visit: Visit, here: Partial<Visit>): boolean =>
  "uid" in visit
    ? "uid" in here && here.uid === visit.uid
    : "browser" in here && here.browser === visit.browser;

const expired = () =>
  new Refusal(
    400,
    "This sign-in has expired, or was begun in another browser. Go back to the program that sent you here and connect again.",
  );
