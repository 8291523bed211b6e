import { join } from "node:path";

/** The names that instances know as the local ACME server; its endpoint for them is in endpoint/acme.ts. */
export const ACME_HOSTS = ["acme-v02.api.letsencrypt.org", "acme-staging-v02.api.letsencrypt.org"];

/** PEM of the small CA that signed the endpoint's certificate. */
export const acmeAuthorityFile = (home: string) => join(home, "acme/ca.pem");
export const acmeCertificateFile = (home: string) => join(home, "acme/endpoint.pem");
export const acmeKeyFile = (home: string) => join(home, "acme/endpoint.key");
