import { CheckFailure } from "../check.ts";
import type { Attempt } from "./attempt.ts";
import { preview, type Reply } from "./http.ts";
import type { Step } from "./step.ts";

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "mcp-edge doctor", version: "1" },
  },
});

/** POSTs `initialize` to a path of the host, without a token or with one. */
export function initialize(attempt: Attempt, url: URL, signal: AbortSignal, token?: string): Promise<Reply> {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return attempt.send(url, { method: "POST", headers, body: INITIALIZE }, signal);
}

/** A parameter of a `WWW-Authenticate: Bearer` challenge (RFC 6750 section 3, RFC 9728 section 5.1). */
function challengeParameter(header: string, name: string): string | undefined {
  const match = new RegExp(`[\\s,]${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`, "i").exec(header);
  return (match?.[1] ?? match?.[2])?.replace(/\\(.)/g, "$1");
}

/** The 401 that starts every sign-in. */
export const challenge: Step = {
  id: "challenge",
  title: "401 challenge",
  needs: [],
  tried: (attempt) => `POST ${attempt.endpoint} (initialize) without a token`,
  async run(attempt, signal) {
    const reply = await initialize(attempt, attempt.endpoint, signal);
    const { status } = reply;
    if (status >= 300 && status < 400) {
      const to = reply.headers.location ?? "nowhere";
      throw new CheckFailure(
        `status ${status} to ${to}: the client does not follow it`,
        to.endsWith("/") ? `Serve ${attempt.path} itself, without the slash` : undefined,
      );
    }
    if (status < 300)
      throw new CheckFailure(`status ${status}: the endpoint is open, so no client ever signs in`);
    if (status !== 401) throw new CheckFailure(`status ${status} instead of 401: ${preview(reply.body)}`);
    const header = reply.headers["www-authenticate"];
    if (header === undefined)
      throw new CheckFailure("401 without WWW-Authenticate: clients cannot find the sign-in");
    if (!/^Bearer\b/i.test(header))
      throw new CheckFailure(`WWW-Authenticate is "${header}", not a Bearer challenge`);
    const url = challengeParameter(header, "resource_metadata");
    if (url === undefined) throw new CheckFailure(`WWW-Authenticate has no resource_metadata: ${header}`);
    if (!URL.canParse(url) || new URL(url).protocol !== "https:") {
      throw new CheckFailure(`resource_metadata is "${url}": it must be an absolute https URL`);
    }
    attempt.metadataUrl = new URL(url);
    const scope = challengeParameter(header, "scope");
    if (scope === undefined && attempt.shape.scopes === "challenge") {
      throw new CheckFailure(
        "WWW-Authenticate names no scope, so this client asks for every scope that is advertised",
        'Add the scopes that a caller needs: WWW-Authenticate: Bearer resource_metadata="…", scope="…"',
      );
    }
    attempt.challengeScopes = scope?.split(" ").filter((part) => part !== "");
    return `401, scope ${scope ?? "not named"}`;
  },
  fix: 'Answer 401 with WWW-Authenticate: Bearer resource_metadata="https://HOST/.well-known/oauth-protected-resource/mcp", scope="…"',
};

/** ChatGPT looks with a GET first. */
export const probe: Step = {
  id: "probe",
  title: "GET of the endpoint",
  needs: [],
  tried: (attempt) => `GET ${attempt.endpoint} without a token`,
  async run(attempt, signal) {
    const { status, body } = await attempt.send(
      attempt.endpoint,
      { headers: { accept: "text/event-stream" } },
      signal,
    );
    if (status === 401 || status === 405) return `status ${status}`;
    throw new CheckFailure(
      `status ${status}: ${preview(body)}; the client takes the server for broken unless it is 401 or 405`,
    );
  },
  fix: "Answer a GET without a token 401, or 405 where the server has no such stream",
};

/** A token that was pasted into the client's configuration. */
export const pastedToken: Step = {
  id: "pasted-token",
  title: "Pasted token",
  needs: ["challenge"],
  tried: (attempt) => `POST ${new URL(`${attempt.path}/token`, attempt.endpoint)} without a token`,
  async run(attempt, signal) {
    const url = new URL(`${attempt.path}/token`, attempt.endpoint);
    const reply = await initialize(attempt, url, signal);
    const header = reply.headers["www-authenticate"] ?? "";
    if (reply.status !== 401)
      throw new CheckFailure(
        `status ${reply.status} instead of 401: people with a pasted token have no endpoint, since this client ignores the token where OAuth is advertised`,
      );
    if (/resource_metadata/i.test(header))
      throw new CheckFailure("the challenge names resource_metadata, so this client ignores a pasted token");
    const metadata = await attempt.send(
      new URL(`/.well-known/oauth-protected-resource${url.pathname}`, url),
      {},
      signal,
    );
    if (metadata.status === 200)
      throw new CheckFailure(`${metadata.url.pathname} exists, so this client ignores a pasted token`);
    return `${url.pathname} takes pasted tokens and advertises no sign-in`;
  },
  fix: "Serve pasted tokens at a path (or host) of its own whose 401 has no resource_metadata",
};
