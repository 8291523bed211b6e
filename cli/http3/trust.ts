import { getCACertificates } from "node:tls";

let roots: string[] | undefined;

/** Node's own roots and the operating system's, without duplicates. They are read once, since that takes some 20 ms. */
function systemRoots(): string[] {
  roots ??= [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
  return roots;
}

/**
 * The trusted certificates: the system's roots and `extra` (PEM, one certificate or more).
 * An array, as `node:tls` accepts it. The QUIC client accepts it joined.
 */
export function trustedRoots(extra?: string): string[] {
  return extra === undefined ? systemRoots() : [...systemRoots(), extra];
}
