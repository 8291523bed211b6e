import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "../../http/errors.ts";
import { requireAllowedHost } from "../../http/hosts.ts";
import type { BucketStore } from "../../http/limits/buckets.ts";
import { takeForNetwork } from "../../http/limits/network-buckets.ts";
import { networkOf } from "../../http/network.ts";
import { noSignIn } from "../../http/no-sign-in.ts";
import { errorPage } from "../../pages/error.ts";
import { eventText } from "../events.ts";
import { originOf } from "../origin.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import { normalizeClientMetadata, redirectProblem } from "./client-metadata.ts";
import { ROUTES } from "./discovery.ts";
import { forward } from "./forward.ts";
import { AS_METADATA_PATHS, authorizationServerMetadata } from "./metadata.ts";
import { servedAuthorization, servedTokenRequest } from "./requests.ts";
import { registerSignIn } from "./sign-in-routes.ts";

/** Bytes of a form or registration. */
const BODY_LIMIT = 32_768;
const FORM = "application/x-www-form-urlencoded";

/** Registrations from one network: so many at once, and so many an hour. Claude.ai registers twice for each attempt. */
const REGISTRATIONS = { atOnce: 20, perHour: 60 } as const;
/** Registered clients of all networks together. Those that nobody used go after a day, and in a crowd after an hour. */
const MAX_CLIENTS = 10_000;

export interface OAuthPluginOptions {
  readonly server: AuthorizationServer;
  readonly buckets: BucketStore;
  /** Host names that requests may name. */
  readonly hosts: string[];
  /** A host name without OAuth, for clients that ignore a pasted token wherever they find OAuth. */
  readonly tokenDomain?: string | undefined;
  /** More pages of people, with the same body parser, errors and checks of the host name. */
  readonly pages?: ((app: FastifyInstance, server: AuthorizationServer) => void) | undefined;
}

/** The routes of the authorization server. Its errors are OAuth's (RFC 6749, section 5.2), or a page where a person looks. */
export async function registerOAuth(app: FastifyInstance, options: OAuthPluginOptions): Promise<void> {
  const { server, buckets } = options;
  await app.register(async (oauth) => {
    oauth.addHook("onRequest", requireAllowedHost(options.hosts));
    oauth.addHook("onRequest", async (request, reply) => {
      if (request.hostname === options.tokenDomain) await reply.code(404).send(noSignIn(true));
    });
    oauth.removeContentTypeParser("application/json");
    oauth.addContentTypeParser<string>(
      [FORM, "application/json"],
      { parseAs: "string", bodyLimit: BODY_LIMIT },
      (_request, text, done) => done(null, text),
    );
    oauth.setErrorHandler((error, request, reply) => oauthError(error as Error, request, reply));

    const document = authorizationServerMetadata(server.issuer);
    for (const path of AS_METADATA_PATHS)
      oauth.get(path, { exposeHeadRoute: false }, async (request, reply) => {
        server.events.emit({ type: "metadata.read", document: "authorization-server" }, originOf(request));
        return reply
          .header("access-control-allow-origin", "*")
          .header("cache-control", "public, max-age=300")
          .send(document);
      });

    oauth.get(ROUTES.authorization, { exposeHeadRoute: false }, (request, reply) => {
      const { search } = new URL(request.url, server.issuer);
      const served = servedAuthorization(new URLSearchParams(search), server.resource);
      return forward(server, request, reply, { url: `${ROUTES.authorization}?${served}` });
    });
    oauth.get(`${ROUTES.authorization}/:uid`, { exposeHeadRoute: false }, (request, reply) =>
      forward(server, request, reply),
    );
    oauth.post(ROUTES.token, (request, reply) =>
      forward(server, request, reply, {
        body: { type: FORM, text: String(servedTokenRequest(formOf(request), server.resource)) },
      }),
    );
    oauth.post(ROUTES.revocation, (request, reply) =>
      forward(server, request, reply, { body: { type: FORM, text: String(formOf(request)) } }),
    );
    oauth.post(`${ROUTES.end_session}/confirm`, (request, reply) =>
      forward(server, request, reply, { body: { type: FORM, text: String(formOf(request)) } }),
    );
    oauth.get(ROUTES.jwks, { exposeHeadRoute: false }, (request, reply) => forward(server, request, reply));
    oauth.post(ROUTES.registration, async (request, reply) => {
      const metadata = normalizeClientMetadata(jsonOf(request));
      const refuse = (status: number, error: string, description: string) => {
        const name = metadata.client_name === undefined ? {} : { name: eventText(metadata.client_name) };
        server.events.emit(
          { type: "client.registration-refused", reason: description, ...name },
          originOf(request),
        );
        return reply
          .code(status)
          .header("cache-control", "no-store")
          .send({ error, error_description: description });
      };
      const { atOnce, perHour } = REGISTRATIONS;
      const bucket = await takeForNetwork(buckets, {
        purpose: "register:",
        client: networkOf(request.ip),
        capacity: atOnce,
        perSecond: perHour / 3_600,
      });
      if (!bucket.allowed) {
        reply.header("retry-after", Math.ceil(bucket.waitMs / 1_000));
        return refuse(
          429,
          "temporarily_unavailable",
          `Too many registrations from this network: ${perHour} an hour`,
        );
      }
      if ((await server.store.count("Client")) >= MAX_CLIENTS)
        return refuse(503, "temporarily_unavailable", "Too many clients are registered; unused ones go soon");
      const problem = redirectProblem(metadata);
      if (problem !== undefined) return refuse(400, "invalid_redirect_uri", problem);
      return forward(server, request, reply, {
        body: { type: "application/json", text: JSON.stringify(metadata) },
      });
    });
    registerSignIn(oauth, server, buckets);
    options.pages?.(oauth, server);
  });
}

/** Form parameters. Some clients send JSON to the token endpoint. */
export function formOf(request: FastifyRequest): URLSearchParams {
  const text = typeof request.body === "string" ? request.body : "";
  if (!request.headers["content-type"]?.startsWith("application/json")) return new URLSearchParams(text);
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries((jsonOf(request) ?? {}) as Record<string, unknown>))
    if (typeof value === "string") form.set(name, value);
  return form;
}

function jsonOf(request: FastifyRequest): unknown {
  try {
    return typeof request.body === "string" ? JSON.parse(request.body) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a person reads the answer. Browsers ask for HTML by name when they open a page, and clients do not. */
const wantsPage = (request: FastifyRequest) => request.headers.accept?.includes("text/html") === true;

function oauthError(error: Error & { statusCode?: number }, request: FastifyRequest, reply: FastifyReply) {
  const status = error.statusCode ?? 500;
  const known = error instanceof Refusal || status < 500;
  if (!known) request.log.error({ err: error }, "authorization server");
  const description = known ? error.message : "Internal server error";
  const code = !known ? "server_error" : status === 503 ? "temporarily_unavailable" : "invalid_request";
  if (error instanceof Refusal && error.retryAfter !== undefined)
    reply.header("retry-after", error.retryAfter);
  reply.code(status).header("cache-control", "no-store");
  if (wantsPage(request)) {
    const shown = known
      ? description
      : `This server failed. Its log names the reason, for request ${request.id}.`;
    const { headers, body } = errorPage(code, shown);
    return reply.headers(headers).send(body);
  }
  return reply.send({ error: code, error_description: description });
}
