import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { KoaContextWithOIDC, Provider } from "oidc-provider";
import type { EventOrigin } from "../event-origin.ts";
import { type AuthEvents, eventText } from "../events.ts";

export interface ObserveOptions {
  readonly events: AuthEvents;
  readonly origin: (raw: IncomingMessage) => EventOrigin;
  /** Whether the grant's refresh token came again within the grace; answers once. */
  readonly wasGraced: (grant: string) => boolean;
  readonly onServerError: (error: Error) => void;
}

interface ProviderError {
  readonly message: string;
  readonly error?: string | undefined;
  readonly error_description?: string | undefined;
  readonly error_detail?: string | undefined;
}

/** Turns oidc-provider's events into ours. What it emits holds tokens and codes; ours never do. */
export function observeProvider(provider: Provider, options: ObserveOptions): void {
  const { events } = options;
  const originOf = (ctx: KoaContextWithOIDC) => options.origin(ctx.req);

  provider.on("interaction.started", (ctx, prompt) => {
    if (prompt.name !== "login" && ctx.oidc.route !== "authorization") return;
    const { params, client } = ctx.oidc;
    const scopes = String(params?.scope ?? "").split(" ");
    const redirect = eventText(params?.redirect_uri);
    events.emit(
      { type: "authorization.started", client: client?.clientId ?? "", redirect, scopes },
      originOf(ctx),
    );
  });
  provider.on("authorization.error", (ctx, error: ProviderError) => {
    const client = ctx.oidc?.params?.client_id;
    events.emit(
      { type: "authorization.refused", ...refusal(error), ...(client ? { client: eventText(client) } : {}) },
      originOf(ctx),
    );
  });
  provider.on("authorization.success", (ctx) => {
    const { client, session } = ctx.oidc;
    events.emit(
      { type: "authorization.granted", client: client?.clientId ?? "", person: session?.accountId ?? "" },
      originOf(ctx),
    );
  });
  provider.on("grant.success", (ctx) => {
    const { AccessToken: token } = ctx.oidc.entities;
    if (!token) return;
    const grant = token.grantId ?? "";
    const who = { person: token.accountId, client: token.clientId ?? "", grant };
    if (ctx.oidc.params?.grant_type === "refresh_token")
      events.emit({ type: "token.refreshed", ...who, grace: options.wasGraced(grant) }, originOf(ctx));
    else
      events.emit(
        { type: "token.issued", ...who, scopes: (token.scope ?? "").split(" ").filter(Boolean) },
        originOf(ctx),
      );
  });
  provider.on("grant.error", (ctx, error: ProviderError) => {
    const { entities, client, params } = ctx.oidc;
    const id = client?.clientId ?? params?.client_id;
    const named = id ? { client: eventText(id) } : {};
    if (/already (used|consumed)/.test(error.error_detail ?? "")) {
      const what = params?.grant_type === "refresh_token" ? "refresh-token" : "code";
      const grant =
        (entities.RefreshToken ?? entities.AuthorizationCode)?.grantId ?? entities.Grant?.jti ?? "";
      events.emit({ type: "token.reused", client: String(id ?? ""), grant, what }, originOf(ctx));
    }
    events.emit({ type: "token.refused", ...refusal(error), ...named }, originOf(ctx));
  });
  provider.on("registration_create.success", (ctx, client) => {
    const redirects = (client.redirectUris ?? []).map(eventText);
    events.emit(
      {
        type: "client.registered",
        client: client.clientId,
        name: eventText(client.clientName ?? ""),
        redirects,
      },
      originOf(ctx),
    );
  });
  provider.on("registration_create.error", (ctx, error: ProviderError) =>
    events.emit({ type: "client.registration-refused", reason: refusal(error).reason }, originOf(ctx)),
  );
  provider.on("revocation.error", (ctx, error: ProviderError) => {
    // An access token: see access-token-revocation.ts.
    if (error.error === "unsupported_token_type") return;
    events.emit({ type: "token.refused", ...refusal(error) }, originOf(ctx));
  });
  provider.on("server_error", (_ctx, error) => options.onServerError(error));
  // Of Koa itself; without a listener it prints to stderr.
  (provider as EventEmitter).on("error", (error: Error) => options.onServerError(error));
}

function refusal(error: ProviderError): { error: string; reason: string } {
  const reason = [error.error_description, error.error_detail].filter(Boolean).join(": ");
  return { error: error.error ?? "server_error", reason: eventText(reason || error.message) };
}
