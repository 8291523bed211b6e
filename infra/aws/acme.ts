/** Directory URLs of the certificate authorities that the setting `acme` knows by name. Pure. */
const DIRECTORIES: Record<string, string> = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
};

/** Hosts of public authorities, and their domains in CAA records according to their CPS. */
const ISSUERS: readonly [RegExp, string][] = [
  [/(^|\.)letsencrypt\.org$/, "letsencrypt.org"],
  [/(^|\.)(zerossl|sectigo)\.com$/, "sectigo.com"],
  [/(^|\.)pki\.goog$/, "pki.goog"],
  [/(^|\.)ssl\.com$/, "ssl.com"],
  [/(^|\.)buypass\.com$/, "buypass.com"],
  [/(^|\.)digicert\.com$/, "digicert.com"],
];

export const acmeDirectory = (acme: string): string => DIRECTORIES[acme] ?? acme;

/** Whether the authority has a name in the settings (`letsencrypt`, `letsencrypt-staging`). */
export const isNamedAcme = (acme: string): boolean => acme in DIRECTORIES;

/** The domain of a public authority for CAA records; "" for a private or unknown ACME server. */
export function knownIssuer(acme: string): string {
  const host = new URL(acmeDirectory(acme)).hostname;
  return ISSUERS.find(([pattern]) => pattern.test(host))?.[1] ?? "";
}

/** Profiles of Let's Encrypt (https://letsencrypt.org/docs/profiles/). */
export const LETSENCRYPT_PROFILES: readonly string[] = ["classic", "tlsserver", "shortlived"];

/**
 * How many machines can have a certificate of their own for the same names. Let's Encrypt issues five a week for the same set of names.
 * That must suffice for the first ones, with one to spare, and for two renewals a week of one that lasts six days.
 */
export const machinesOf = (acme: string, profile: string): number => {
  if (knownIssuer(acme) !== "letsencrypt.org") return Number.POSITIVE_INFINITY;
  return profile === "shortlived" ? 2 : 4;
};

/** A public authority validates from any address, a private one from known addresses. */
const isPublicAcme = (acme: string): boolean => knownIssuer(acme) !== "";

/** Whether requests from unknown addresses to port 80 prove the domain (RFC 8555 sections 8.3 and 10.2). */
export const isValidatedByAll = ({ acme, acmeChallenge }: { acme: string; acmeChallenge: string }): boolean =>
  isPublicAcme(acme) && acmeChallenge === "http-01";
