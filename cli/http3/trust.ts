import { getCACertificates } from "node:tls";

let roots: string[] | undefined;

/** Node's own roots and the operating system's, without doubles. Read once: the system store takes some 20 ms. */
function systemRoots(): string[] {
  roots ??= [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
  return roots;
}

/**
 * The certificates to trust: the system's roots, and `extra` (PEM, one certificate or more) beside them.
 * An array, as `node:tls` takes it; the QUIC client takes it joined.
 */
export function trustedRoots(extra?: string): string[] {
  return extra === undefined ? systemRoots() : [...systemRoots(), extra];
}
