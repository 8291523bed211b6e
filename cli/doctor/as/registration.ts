import { CheckFailure } from "../check.ts";
import type { Attempt, RegisteredClient } from "./attempt.ts";
import { jsonOf, oauthErrorOf, type Reply } from "./http.ts";
import { assertCors } from "./metadata.ts";
import type { Step } from "./step.ts";

function register(attempt: Attempt, body: Record<string, unknown>, signal: AbortSignal): Promise<Reply> {
  const url = new URL(attempt.server.registration_endpoint ?? "");
  const headers = { "content-type": "application/json" };
  return attempt.send(url, { method: "POST", headers, body: JSON.stringify(body) }, signal);
}

/** What the client sends when it registers. */
function bodyOf(attempt: Attempt): Record<string, unknown> {
  return attempt.shape.registration(attempt.resource.scopes_supported ?? []);
}

/** Whether the client uses its metadata document here, and registers nothing. */
function usesDocument({ shape, server }: Attempt): boolean {
  if (shape.document === undefined || server.client_id_metadata_document_supported !== true) return false;
  const methods = server.token_endpoint_auth_methods_supported ?? [];
  return shape.document.methods.some((method) => methods.includes(method));
}

/**
 * Which field of a refused registration is the cause: the one without which, or with one entry less in which, the
 * server takes it. Each try is a registration of its own, so at most eight are made.
 */
async function culprit(
  attempt: Attempt,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const tries: { name: string; body: Record<string, unknown> }[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (Array.isArray(value) && value.length > 1) {
      for (const entry of value) {
        tries.push({
          name: `"${entry}" in ${name}`,
          body: { ...body, [name]: value.filter((one) => one !== entry) },
        });
      }
    } else if (name !== "redirect_uris") {
      const { [name]: _left, ...rest } = body;
      tries.push({ name: `${name} ${JSON.stringify(value)}`, body: rest });
    }
  }
  for (const { name, body: smaller } of tries.slice(0, 8)) {
    const reply = await register(attempt, smaller, signal);
    if (reply.status === 201 || reply.status === 200) return name;
  }
  return undefined;
}

export const registration: Step = {
  id: "registration",
  title: "Registration",
  needs: ["server-metadata"],
  tried: (attempt) =>
    usesDocument(attempt)
      ? `client id ${attempt.shape.document?.url}, nothing to register`
      : `POST ${attempt.server.registration_endpoint} with the body that ${attempt.shape.title} sends`,
  async run(attempt, signal) {
    const { shape } = attempt;
    if (usesDocument(attempt)) {
      attempt.client = { id: shape.document?.url ?? "", method: "none", byDocument: true };
      return `by its metadata document, ${shape.document?.url}`;
    }
    attempt.client = await registered(attempt, signal);
    if (shape.registersTwice) {
      const again = await registered(attempt, signal);
      return `${again.method}, twice, as this client does`;
    }
    return `${attempt.client.method}, client id ${attempt.client.id}`;
  },
  fix: "Take registrations as RFC 7591 describes: replace what the server does not support instead of refusing the whole",
};

/** Registers the client dynamically. */
export async function registered(attempt: Attempt, signal: AbortSignal): Promise<RegisteredClient> {
  const body = bodyOf(attempt);
  const reply = await register(attempt, body, signal);
  if (reply.status !== 201 && reply.status !== 200) {
    const field = reply.status === 400 ? await culprit(attempt, body, signal) : undefined;
    throw new CheckFailure(
      `${oauthErrorOf(reply)}${field === undefined ? "" : `; it takes the registration without ${field}`}`,
      field === undefined ? undefined : `Accept ${field}, or replace it in the answer (RFC 7591 section 2)`,
    );
  }
  assertCors(attempt, reply);
  const json = jsonOf(reply);
  const { client_id: id, client_secret: secret } = json;
  if (typeof id !== "string" || id === "") throw new CheckFailure("client_id is missing in the answer");
  const uris = json.redirect_uris;
  if (Array.isArray(uris) && !uris.some((uri) => sameRedirect(String(uri), attempt.shape.redirectUri))) {
    throw new CheckFailure(
      `redirect_uris in the answer are ${uris.join(", ")}: ${attempt.shape.redirectUri} was left out, which is where this client sends people`,
    );
  }
  const method =
    typeof json.token_endpoint_auth_method === "string"
      ? json.token_endpoint_auth_method
      : "client_secret_basic";
  if (method !== "none" && typeof secret !== "string")
    throw new CheckFailure(`token_endpoint_auth_method is ${method}, but there is no client_secret`);
  return { id, method, byDocument: false, ...(typeof secret === "string" ? { secret } : {}) };
}

/** RFC 8252 section 7.3: the port of a loopback redirect may change. */
function sameRedirect(registeredUri: string, used: string): boolean {
  if (registeredUri === used) return true;
  if (!URL.canParse(registeredUri)) return false;
  const [one, other] = [new URL(registeredUri), new URL(used)];
  const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(one.hostname);
  return (
    loopback && one.protocol === "http:" && one.hostname === other.hostname && one.pathname === other.pathname
  );
}
