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

/** A public authority validates from any address, a private one from known addresses. */
export const isPublicAcme = (acme: string): boolean => knownIssuer(acme) !== "";
