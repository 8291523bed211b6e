import { jest } from "@jest/globals";
import { Provider } from "oidc-provider";
import { type Loopback, loopback } from "./loopback.ts";

export const CLIENT = "mcp-edge";
export const SECRET = "an upstream secret of enough length";

export interface Account {
  id: string;
  claims: Record<string, unknown>;
}

export interface OpenIdServer extends Loopback {
  /** Who signs in next; they need not type anything. */
  account: Account;
  /** Ends every refresh token of the account, as an administrator does. */
  remove(id: string): void;
}

/** A second oidc-provider, as an upstream. Its people sign in by opening its page. */
export async function openIdServer(redirectUri: string, account: Account): Promise<OpenIdServer> {
  // It says of itself that it is for tests.
  jest.spyOn(console, "warn").mockReturnValue();
  jest.spyOn(console, "info").mockReturnValue();
  const removed = new Set<string>();
  const accounts = new Map([[account.id, account]]);
  const state = { account };
  const server = await loopback((origin) => {
    const provider = new Provider(origin, {
      clients: [
        {
          client_id: CLIENT,
          client_secret: SECRET,
          redirect_uris: [redirectUri],
          grant_types: ["authorization_code", "refresh_token"],
          token_endpoint_auth_method: "client_secret_post",
        },
      ],
      cookies: { keys: ["upstream"] },
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      rotateRefreshToken: true,
      findAccount: (_ctx, id) => {
        const found = removed.has(id) ? undefined : accounts.get(id);
        return found && { accountId: id, claims: async () => ({ sub: id, ...found.claims }) };
      },
    });
    provider.on("server_error", (_ctx, error) => process.stderr.write(`upstream: ${error.stack}\n`));
    const serve = provider.callback();
    return async (request, response) => {
      if (!request.url?.startsWith("/interaction/")) return serve(request, response);
      const { prompt, params, session } = await provider.interactionDetails(request, response);
      accounts.set(state.account.id, state.account);
      if (prompt.name === "login")
        return provider.interactionFinished(request, response, { login: { accountId: state.account.id } });
      const grant = new provider.Grant({ accountId: session?.accountId, clientId: String(params.client_id) });
      grant.addOIDCScope(String(params.scope));
      const consent = { grantId: await grant.save() };
      await provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
    };
  });
  return {
    ...server,
    get account() {
      return state.account;
    },
    set account(next: Account) {
      state.account = next;
      accounts.set(next.id, next);
    },
    remove: (id: string) => void removed.add(id),
  };
}
