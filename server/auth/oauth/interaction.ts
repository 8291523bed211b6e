import type { FastifyReply, FastifyRequest } from "fastify";
import { errors, type Provider } from "oidc-provider";
import { Refusal } from "../../http/errors.ts";
import { type AuthEvents, eventText, type SignInMethod } from "../events.ts";
import { originOf } from "../origin.ts";
import type { People, Person } from "../people.ts";
import type { Scope } from "../principal.ts";
import { isNative } from "./client-metadata.ts";
import { type Consents, makeGrant } from "./consents.ts";
import { checkFormToken, formToken } from "./form-token.ts";
import type { KeySet } from "./keys.ts";
import { resourceScopes } from "./resource.ts";

/** The client that asks, for a person to assess. All text of it is the client's own claim, except `domain`. */
export interface ClientDescription {
  readonly id: string;
  /** As the client calls itself, without control characters, at most 200 characters. */
  readonly name: string;
  readonly uri: string | undefined;
  readonly logo: string | undefined;
  /** `document`: its metadata document proves `domain`; `registered`: by the operator; `dynamic`: it registered itself, nothing is proven. */
  readonly kind: "document" | "registered" | "dynamic";
  /** The host that vouches for the client. */
  readonly domain: string | undefined;
}

/** Where the browser goes in the end, with the code. */
export interface RedirectDescription {
  readonly uri: string;
  /** Host of an https redirect; undefined for a program on the person's own computer. */
  readonly host: string | undefined;
  /** A loopback address, or a scheme that a program on this computer has claimed, which any program may do. */
  readonly local: boolean;
}

/** One visit of `/sign-in/:uid`. */
export interface InteractionDetails {
  readonly uid: string;
  /** What is asked of the person now. */
  readonly step: "sign-in" | "consent";
  readonly client: ClientDescription;
  readonly redirect: RedirectDescription;
  /** What the client asks for. */
  readonly scopes: readonly Scope[];
  /** What of it this person may allow; at the step `sign-in`, where nobody is known yet: all. */
  readonly allowed: readonly Scope[];
  readonly resource: string;
  /** At the step `consent`. */
  readonly person: Person | undefined;
  /** `login_hint`: what to put into the form. */
  readonly loginHint: string | undefined;
  /** For a hidden field of every form of this page. */
  readonly csrf: string;
}

export interface InteractionsOptions {
  readonly provider: () => Provider;
  readonly keys: () => KeySet;
  readonly resource: string;
  readonly people: People;
  readonly consents: Consents;
  readonly events: AuthEvents;
}

/**
 * Sign-in and consent, for the pages that show them. Each page calls `details`, shows a form with `csrf`, and on its POST calls `checkCsrf`
 * and one of `finishSignIn`, `consent` and `abort`, each of which returns the URL to redirect the browser to (303).
 *
 * Every method throws a Refusal (its text is for the person) when the interaction has expired or belongs to another browser.
 */
export class Interactions {
  readonly #options: InteractionsOptions;

  constructor(options: InteractionsOptions) {
    this.#options = options;
  }

  async details(request: FastifyRequest, reply: FastifyReply): Promise<InteractionDetails> {
    const { resource, people } = this.#options;
    const interaction = await this.#interaction(request, reply);
    const { params, prompt, uid, session } = interaction;
    const client = await this.#client(String(params.client_id));
    const consent = prompt.name === "consent";
    const person = consent && session?.accountId ? await people.find(session.accountId) : undefined;
    if (consent && !person) throw expired();
    const scopes = resourceScopes(params.scope);
    return {
      uid,
      step: consent ? "consent" : "sign-in",
      client,
      redirect: redirectDescription(String(params.redirect_uri)),
      scopes,
      allowed: person ? scopes.filter((scope) => person.scopes.includes(scope)) : scopes,
      resource,
      person,
      loginHint: typeof params.login_hint === "string" ? eventText(params.login_hint) : undefined,
      csrf: this.#csrf(uid, prompt.name),
    };
  }

  /** @throws Refusal 403 when the form is not from this page in this browser */
  checkCsrf(request: FastifyRequest, details: InteractionDetails, token: unknown): void {
    const { origin } = new URL(this.#options.resource);
    checkFormToken(request, { origin, expected: details.csrf, given: token });
  }

  /**
   * The person proved who they are: the browser is signed in, and goes on to the consent or the client.
   *
   * @param options.remember keep the browser signed in after it is closed; default true
   */
  async finishSignIn(
    request: FastifyRequest,
    reply: FastifyReply,
    person: Person,
    options: { how: SignInMethod; remember?: boolean },
  ): Promise<string> {
    const { events, provider } = this.#options;
    const { params } = await this.#interaction(request, reply);
    const login = { accountId: person.id, amr: [options.how], remember: options.remember ?? true };
    const to = await provider().interactionResult(
      request.raw,
      reply.raw,
      { login },
      { mergeWithLastSubmission: false },
    );
    const client = String(params.client_id);
    events.emit({ type: "sign-in", person: person.id, how: options.how, client }, originOf(request));
    return to;
  }

  /** Notes a sign-in that failed. */
  signInRefused(request: FastifyRequest, details: InteractionDetails, login: string, reason: string): void {
    const event = {
      type: "sign-in.refused",
      login: eventText(login),
      reason,
      client: details.client.id,
    } as const;
    this.#options.events.emit(event, originOf(request));
  }

  /**
   * The person allows the client `scopes` (default: all that they may allow), at least one.
   *
   * @param options.remember ask no more when this client comes again
   */
  async consent(
    request: FastifyRequest,
    reply: FastifyReply,
    details: InteractionDetails,
    options: { scopes?: readonly Scope[]; remember: boolean },
  ): Promise<string> {
    const { provider, consents, events, resource } = this.#options;
    const { person, client } = details;
    if (details.step !== "consent" || !person) throw expired();
    const chosen = options.scopes ?? details.allowed;
    const allowed = details.allowed.filter((scope) => chosen.includes(scope));
    if (allowed.length === 0)
      return this.abort(
        request,
        reply,
        "the person may not allow any of the scopes that the client asked for",
      );
    const { params } = await this.#interaction(request, reply);
    const refused = details.scopes.filter((scope) => !allowed.includes(scope));
    const asked = String(params.scope ?? "").split(" ");
    const grantId = await makeGrant(provider(), {
      person,
      client: client.id,
      resource,
      asked,
      allowed,
      refused,
    });
    if (options.remember) await consents.remember(person.id, client.id, allowed);
    events.emit(
      {
        type: "consent",
        person: person.id,
        client: client.id,
        scopes: allowed,
        remembered: options.remember,
      },
      originOf(request),
    );
    return provider().interactionResult(
      request.raw,
      reply.raw,
      { consent: { grantId } },
      { mergeWithLastSubmission: true },
    );
  }

  /** The person says no: the client learns `access_denied`. */
  async abort(request: FastifyRequest, reply: FastifyReply, reason = "the person said no"): Promise<string> {
    const { events, provider } = this.#options;
    const { params, session } = await this.#interaction(request, reply);
    const person = session?.accountId;
    events.emit(
      { type: "consent.refused", ...(person ? { person } : {}), client: String(params.client_id) },
      originOf(request),
    );
    const result = { error: "access_denied", error_description: reason };
    return provider().interactionResult(request.raw, reply.raw, result, { mergeWithLastSubmission: false });
  }

  async #interaction(request: FastifyRequest, reply: FastifyReply) {
    try {
      const interaction = await this.#options.provider().interactionDetails(request.raw, reply.raw);
      const { uid } = request.params as { uid?: string };
      if (uid !== undefined && uid !== interaction.uid) throw expired();
      return interaction;
    } catch (error) {
      throw error instanceof errors.SessionNotFound ? expired() : error;
    }
  }

  async #client(id: string): Promise<ClientDescription> {
    const client = await this.#options.provider().Client.find(id);
    if (!client)
      throw new Refusal(400, "The program that sent you here is not known any more. Connect it again.");
    const document = URL.canParse(id) ? new URL(id).hostname : undefined;
    const registered = document === undefined && !id.startsWith("client_");
    return {
      id,
      name: eventText(client.clientName ?? id),
      uri: client.clientUri,
      logo: client.logoUri,
      kind: document !== undefined ? "document" : registered ? "registered" : "dynamic",
      domain: document,
    };
  }

  #csrf(uid: string, step: string): string {
    return formToken(this.#options.keys(), `${step} ${uid}`);
  }
}

/** Where a redirect URI leads, for a person to assess. */
function redirectDescription(uri: string): RedirectDescription {
  const local = isNative(uri);
  return { uri, local, host: local ? undefined : new URL(uri).host };
}

function expired(): Refusal {
  return new Refusal(
    400,
    "This sign-in has expired, or was begun in another browser. Go back to the program that sent you here and connect again.",
  );
}
