import { CheckFailure } from "../check.ts";
import type { Attempt, Tokens } from "./attempt.ts";
import { resourcesOf } from "./authorization.ts";
import { jsonOf, oauthErrorOf, type Reply } from "./http.ts";
import { assertCors } from "./metadata.ts";
import type { Step } from "./step.ts";

/** A request to the token endpoint with the client's own authentication (RFC 6749 section 2.3). */
function ask(attempt: Attempt, fields: Record<string, string>, signal: AbortSignal, id = attempt.client.id) {
  const { method, secret } = attempt.client;
  const form = new URLSearchParams(fields);
  const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded" };
  if (method === "client_secret_basic" && secret !== undefined) {
    const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
    headers.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
  } else {
    form.set("client_id", id);
    if (secret !== undefined && method === "client_secret_post") form.set("client_secret", secret);
  }
  const url = new URL(attempt.server.token_endpoint);
  return attempt.send(url, { method: "POST", headers, body: form.toString() }, signal);
}

function tokensOf(reply: Reply, attempt: Attempt): Tokens {
  if (reply.status !== 200) throw new CheckFailure(oauthErrorOf(reply));
  assertCors(attempt, reply);
  const { access_token: access, token_type: type, refresh_token: refresh, scope } = jsonOf(reply);
  if (typeof access !== "string") throw new CheckFailure("access_token is missing");
  if (String(type).toLowerCase() !== "bearer")
    throw new CheckFailure(`token_type is ${JSON.stringify(type)} instead of "Bearer"`);
  if (!/no-store/i.test(String(reply.headers["cache-control"])))
    throw new CheckFailure(
      "the answer may be cached: Cache-Control has no no-store",
      "Send Cache-Control: no-store",
    );
  assertAudience(access, attempt.resource.resource);
  return {
    access,
    ...(typeof refresh === "string" ? { refresh } : {}),
    ...(typeof scope === "string" ? { scope } : {}),
  };
}

/** A JWT must be meant for this resource alone; an opaque token cannot be looked into. */
function assertAudience(token: string, resource: string): void {
  const [, payload] = token.split(".");
  if (payload === undefined || token.split(".").length !== 3) return;
  let aud: unknown;
  try {
    aud = (JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { aud?: unknown }).aud;
  } catch {
    return;
  }
  if ([aud].flat().length === 1 && [aud].flat()[0] === resource) return;
  throw new CheckFailure(
    `aud of the access token is ${JSON.stringify(aud)} instead of "${resource}": the client refuses it`,
    `Issue access tokens with aud "${resource}" alone`,
  );
}

export const token: Step = {
  id: "token",
  title: "Token",
  needs: ["sign-in"],
  tried: (attempt) => `POST ${attempt.server.token_endpoint} with the code (${attempt.client.method})`,
  async run(attempt, signal) {
    const [resource] = resourcesOf(attempt);
    const reply = await ask(
      attempt,
      {
        grant_type: "authorization_code",
        code: attempt.code ?? "",
        redirect_uri: attempt.shape.redirectUri,
        code_verifier: attempt.verifier,
        ...(resource === undefined ? {} : { resource }),
      },
      signal,
    );
    attempt.tokens = tokensOf(reply, attempt);
    if (attempt.tokens.refresh === undefined) {
      throw new CheckFailure(
        "there is no refresh_token: people must sign in again whenever the access token ends",
        "Issue refresh tokens to clients with the grant type refresh_token, also without offline_access",
      );
    }
    return `scope ${attempt.tokens.scope ?? "as asked"}`;
  },
  fix: "Read the server's side of the attempt; on a machine of this project: mcp-edge oauth trace",
};

export const refresh: Step = {
  id: "refresh",
  title: "Refresh, twice at once",
  needs: ["tools"],
  tried: (attempt) => `POST ${attempt.server.token_endpoint} with the refresh token, two at once`,
  async run(attempt, signal) {
    const { refresh: old } = attempt.tokens;
    const fields = { grant_type: "refresh_token", refresh_token: old ?? "" };
    const replies = await Promise.all([ask(attempt, fields, signal), ask(attempt, fields, signal)]);
    const refused = replies.find(({ status }) => status !== 200);
    if (refused !== undefined) {
      throw new CheckFailure(
        `one of two refreshes at the same time was refused (${oauthErrorOf(refused)}): the client loses its sign-in when an answer is lost`,
        "Take a rotated refresh token for some seconds more (grace period)",
      );
    }
    for (const reply of replies) attempt.tokens = tokensOf(reply, attempt);
    return attempt.tokens.refresh === old ? "both answered, not rotated" : "both answered, rotated";
  },
  fix: "Take refresh tokens of public clients, rotate them, and allow a short grace period",
};

/** Claude.ai and others register again when, and only when, they hear 401 invalid_client. */
export const forgottenClient: Step = {
  id: "forgotten-client",
  title: "Forgotten client",
  needs: ["server-metadata"],
  tried: (attempt) => `POST ${attempt.server.token_endpoint} as a client that the server does not know`,
  async run(attempt, signal) {
    const url = new URL(attempt.server.token_endpoint);
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: "unknown",
      client_id: "mcp-edge-doctor-unknown",
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const reply = await attempt.send(url, { method: "POST", headers, body: form.toString() }, signal);
    const error = reply.status === 401 ? jsonOf(reply).error : undefined;
    if (error === "invalid_client") return "401 invalid_client, so the client registers again";
    throw new CheckFailure(
      `${oauthErrorOf(reply)} instead of 401 invalid_client: a client whose registration expired never registers again`,
    );
  },
  fix: 'Answer an unknown client_id at the token endpoint 401 {"error":"invalid_client"}',
};
