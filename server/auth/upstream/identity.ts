/** A person as an identity provider describes them. Only what the provider vouches for is here. */
export interface Identity {
  /** With `subject` the only key by which a person is recognised: addresses and names change their owners. */
  readonly issuer: string;
  readonly subject: string;
  /** For others to read. */
  readonly name: string;
  /** The provider's own name of the person: GitHub's login and Entra's object id in lower case, else the subject. */
  readonly user: string;
  /** Verified addresses in lower case, the preferred one first. */
  readonly emails: readonly string[];
  /** Domains to which the provider says that the person belongs, in lower case. */
  readonly domains: readonly string[];
  /** As the provider names them: GitHub's `org` and `org/team` in lower case, Entra's object ids. */
  readonly groups: readonly string[];
}

/** What a later check needs: a refresh token, or where the provider has none, an access token that does not expire. */
export interface CheckToken {
  readonly kind: "refresh" | "access";
  readonly value: string;
}

/** A person who proved who they are at the provider. */
export interface Identified {
  readonly identity: Identity;
  /** undefined: the provider gives nothing by which the person can be checked later. */
  readonly token: CheckToken | undefined;
}

/** What binds a sign-in to one browser and one request; see attempts.ts. */
export interface SignInRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE, RFC 7636. */
  readonly verifier: string;
}

/** How a provider shall ask the person. */
export interface SignInWishes {
  readonly loginHint?: string | undefined;
  /** Another account than the one that is signed in there. */
  readonly otherAccount?: boolean;
}

/** An identity provider. Its methods throw ProviderDown, ProviderRefusal, or, for what breaks the protocol, another error. */
export interface Provider {
  /** Where the browser is sent. */
  authorizationUrl(request: SignInRequest, wishes: SignInWishes): Promise<URL>;
  /** @param answer the parameters with which the browser came back */
  identify(request: SignInRequest, answer: URLSearchParams): Promise<Identified>;
  /** Whether the person is still there, and in which groups. @throws ProviderRefusal when they are not */
  check(token: CheckToken, before: Identity): Promise<Identified>;
  /** Reads what is needed for a sign-in. @returns what was found, for operators */
  probe(): Promise<string>;
}

/** The provider cannot be reached, or fails itself: it says nothing about the person. */
export class ProviderDown extends Error {
  override readonly name = "ProviderDown";
}

/** The provider says no: the person cancelled, is not there any more, or this server's client is not accepted. */
export class ProviderRefusal extends Error {
  override readonly name = "ProviderRefusal";
}
