import { HttpClientError } from "../http3/errors.ts";

const TRUST_FIX = 'Fix the certificate first: see the line "Certificate"';

/** Codes of Node's network and TLS errors in words. `where` is put in by the caller. */
const CODES: Record<string, string> = {
  ECONNREFUSED: "connection refused: nothing listens there",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ETIMEDOUT: "no answer: the packets are dropped on the way",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "this computer has no route to that network",
  ENOTFOUND: "the name has no address",
  EAI_AGAIN: "the name server does not answer",
};

const TRUST: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate comes from an authority that is not trusted here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the issuer of the certificate is not known here, or the chain is incomplete",
  UNABLE_TO_GET_ISSUER_CERT: "the issuer of the certificate is not known here, or the chain is incomplete",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the server sends no intermediate certificate, or its issuer is not known here",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another name",
  CERT_SIGNATURE_FAILURE: "a signature in the certificate chain is wrong",
};

/** What a certificate error code means, or undefined when the code is none. */
export function explainTrust(code: string): string | undefined {
  return TRUST[code];
}

/** An error of the network in words, with advice where there is a better one than the check's own. */
export function explain(error: unknown): { got: string; fix?: string } {
  const chain = [...causes(error)];
  for (const one of chain) {
    if (one instanceof HttpClientError) {
      // The QUIC client names the trust problem inside its own sentence.
      return /certificate/.test(one.what) ? { got: one.what, fix: TRUST_FIX } : { got: one.what };
    }
    const code = (one as { code?: unknown }).code;
    if (typeof code !== "string") continue;
    const trust = explainTrust(code);
    if (trust !== undefined) return { got: trust, fix: TRUST_FIX };
    if (CODES[code] !== undefined) return { got: `${CODES[code]} (${code})` };
  }
  const [first] = chain;
  const text = first instanceof Error ? first.message || first.name : String(error);
  return { got: text.split("\n")[0] ?? text };
}

/** The error, then its causes and the parts of an AggregateError. */
function* causes(error: unknown, depth = 0): Generator<unknown> {
  if (error === undefined || error === null || depth > 5) return;
  yield error;
  for (const part of (error as AggregateError).errors ?? []) yield* causes(part, depth + 1);
  yield* causes((error as Error).cause, depth + 1);
}
