/** Directory URLs of the certificate authorities that the setting `acme` knows by name. Pure. */
const DIRECTORIES: Record<string, string> = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
};

export const acmeDirectory = (acme: string): string => DIRECTORIES[acme] ?? acme;

/** A server of one's own validates from where one knows; a public one from anywhere. */
export const isPublicAcme = (acme: string): boolean => acme in DIRECTORIES;
