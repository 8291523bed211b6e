import * as z from "zod";
import { eventText } from "../events.ts";
import type { Identity } from "./identity.ts";
import type { ProviderSettings } from "./settings.ts";

/** Of one person; what is beyond is left out. */
const MAX_GROUPS = 20_000;

const yes = z.union([z.boolean(), z.literal(["true", "false", "1", "0", 1, 0])]).optional();

/** What is read of an ID token or a UserInfo answer (OpenID Connect Core, section 5.1). A claim of another type counts as missing. */
const Claims = z.object({
  name: z.string().optional().catch(undefined),
  email: z.string().max(254).optional().catch(undefined),
  email_verified: yes.catch(undefined),
  /** Google: the Workspace domain that administers the account. */
  hd: z.string().optional().catch(undefined),
  /** Entra: the object id of the person, and of the tenant. */
  oid: z.string().optional().catch(undefined),
  tid: z.string().optional().catch(undefined),
  /** Entra: whether the domain of `email` is one that the tenant has proven to own. */
  xms_edov: yes.catch(undefined),
});

export type RawClaims = Readonly<Record<string, unknown>>;

/** A group list of a claim; a single group may stand for itself. */
export function groupsOf(claim: unknown): string[] {
  const list = Array.isArray(claim) ? claim : [claim];
  return list
    .filter((group): group is string => typeof group === "string" && group !== "" && group.length <= 200)
    .slice(0, MAX_GROUPS);
}

/** Whether the groups are left out of the token because they are too many: "distributed claims", OpenID Connect Core, section 5.6.2. */
export function groupsAreElsewhere(claims: RawClaims): boolean {
  const names = claims._claim_names;
  const distributed = typeof names === "object" && names !== null && "groups" in names;
  return distributed || claims.hasgroups === true || claims.hasgroups === "true";
}

/**
 * The person that verified claims describe.
 *
 * @throws when they are not of the tenant
 */
export function identityOf(
  { provider, issuer }: ProviderSettings,
  raw: RawClaims,
  subject: string,
  groups: readonly string[],
): Identity {
  const claims = Claims.parse(raw);
  const email = verifiedEmail(provider, claims);
  if (provider === "entra" && claims.tid?.toLowerCase() !== new URL(issuer).pathname.split("/")[1])
    throw new Error("the ID token is of another tenant");
  const domain = provider === "google" ? claims.hd?.toLowerCase() : email?.split("@")[1];
  return {
    issuer,
    subject,
    name: eventText(claims.name ?? email ?? subject).slice(0, 100),
    user: (provider === "entra" ? claims.oid?.toLowerCase() : undefined) ?? subject,
    emails: email === undefined ? [] : [email],
    domains: domain === undefined || email === undefined ? [] : [domain],
    groups,
  };
}

/** In lower case; undefined for one that the provider does not vouch for. */
function verifiedEmail(
  provider: ProviderSettings["provider"],
  { email, email_verified, hd, xms_edov }: z.output<typeof Claims>,
): string | undefined {
  const known = email?.toLowerCase();
  if (known === undefined || !/^[^\s@]+@[^\s@]+$/.test(known)) return undefined;
  // Entra's `email` is whatever an administrator wrote, unless it says that the domain is proven.
  if (provider === "entra") return isYes(xms_edov) ? known : undefined;
  if (!isYes(email_verified)) return undefined;
  // Of other addresses Google only knows that somebody read their mail once ("Authenticate with a backend server").
  if (provider === "google" && hd === undefined && !known.endsWith("@gmail.com")) return undefined;
  return known;
}

const isYes = (claim: unknown) => claim === true || claim === "true" || claim === 1 || claim === "1";
