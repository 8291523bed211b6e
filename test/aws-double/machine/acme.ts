import { join } from "node:path";

/** The names that instances know as the local ACME server; its door for them is in endpoint/acme.ts. */
export const ACME_HOSTS = ["acme-v02.api.letsencrypt.org", "acme-staging-v02.api.letsencrypt.org"];

/** PEM of the small CA that signed the door's certificate. */
export const acmeAuthorityFile = (home: string) => join(home, "acme/ca.pem");
export const acmeCertificateFile = (home: string) => join(home, "acme/door.pem");
export const acmeKeyFile = (home: string) => join(home, "acme/door.key");
