import { limitedBody, safeFetch } from "../oauth/safe-fetch.ts";
import { ProviderDown } from "./identity.ts";

/** The longest answer, bytes: a page of 100 teams of GitHub has some 500 KB. */
const MAX_BYTES = 2 * 1_048_576;
const TIMEOUT_MS = 5_000;

export interface ProviderRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type ProviderFetch = (url: string, request?: ProviderRequest) => Promise<Response>;

/**
 * Requests to an identity provider, with limits of time and size and without redirects, which could carry a secret elsewhere. The operator's
 * own address may be in a private network. Addresses that the provider's metadata names beside it are a stranger's: see safeFetch.
 *
 * @param address of the provider, as the operator wrote it
 * @throws ProviderDown when there is no answer, or none within the limits; or the provider itself fails (5xx)
 */
export function providerFetch(address: string): ProviderFetch {
  const { origin } = new URL(address);
  return async (url, request = {}) => {
    const target = new URL(url);
    const answered = await (target.origin === origin ? ownFetch : guardedFetch)(url, request).catch(
      (error: Error) => {
        throw new ProviderDown(`${target.origin}${target.pathname}: ${messageOf(error)}`);
      },
    );
    if (answered.status < 500) return answered;
    throw new ProviderDown(`${target.origin}${target.pathname} answered ${answered.status}`);
  };
}

/** With what caused it: `fetch failed` alone says nothing. */
export function messageOf({ message, cause }: Error): string {
  const detail = (cause as Partial<Error> | undefined)?.message;
  return detail ? `${message}: ${detail}` : message;
}

const guardedFetch: ProviderFetch = (url, request) =>
  safeFetch(url, { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS, ...request });

async function ownFetch(url: string, { method = "GET", headers, body }: ProviderRequest = {}) {
  const response = await fetch(url, {
    method,
    headers: { accept: "application/json", "user-agent": "mcp-edge", ...headers },
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { status } = response;
  const bytes = response.body ? await limitedBody(response.body, MAX_BYTES) : null;
  return new Response([204, 205, 304].includes(status) ? null : bytes, { status, headers: response.headers });
}
