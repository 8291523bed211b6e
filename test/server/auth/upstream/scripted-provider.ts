import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { bodyOf, json, type Loopback, loopback, redirect } from "./loopback.ts";
import { CLIENT } from "./openid-provider.ts";

export interface ScriptedProvider extends Loopback {
  readonly issuer: string;
  /** The claims of the next ID tokens; `undefined` leaves a claim out. */
  claims: Record<string, unknown>;
  /** Changes what the browser brings back. */
  answer: (parameters: URLSearchParams) => void;
  /** Instead of the token endpoint's own answer. */
  token: ((body: URLSearchParams) => unknown) | undefined;
  /** Instead of the metadata. */
  metadata: Record<string, unknown>;
  /** ID tokens are signed with a key that is not published. */
  forged: boolean;
  /** Requests of Microsoft Graph for groups, by their Authorization header. */
  readonly graphed: string[];
  graphGroups: string[];
  /** What the authorization endpoint was asked for last. */
  asked: URLSearchParams;
  /** What the token endpoint was asked for. */
  readonly exchanged: URLSearchParams[];
}

/**
 * An OpenID provider of a few lines that can answer wrongly, and in the form of Google (`/`) or Entra (`/TENANT/v2.0`). oidc-provider cannot be
 * made to.
 */
export async function scriptedProvider(path = ""): Promise<ScriptedProvider> {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const { privateKey: otherKey } = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  const codes = new Map<string, URLSearchParams>();
  const script = {
    issuer: "",
    claims: {} as Record<string, unknown>,
    answer: ((_parameters) => {}) as ScriptedProvider["answer"],
    token: undefined as ((body: URLSearchParams) => unknown) | undefined,
    metadata: {} as Record<string, unknown>,
    forged: false,
    graphed: [] as string[],
    graphGroups: [] as string[],
    asked: new URLSearchParams(),
    exchanged: [] as URLSearchParams[],
  };
  const idToken = (nonce: string | null) => {
    const now = Math.floor(Date.now() / 1_000);
    const standard = { iss: script.issuer, aud: CLIENT, iat: now, exp: now + 300, nonce: nonce ?? undefined };
    const payload = { ...standard, ...script.claims } as JWTPayload;
    return new SignJWT(payload)
      .setProtectedHeader({ alg: "RS256", kid: "k1" })
      .sign(script.forged ? otherKey : privateKey);
  };
  const server = await loopback((origin) => {
    script.issuer = `${origin}${path}`;
    const metadata = {
      issuer: script.issuer,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      token_endpoint_auth_methods_supported: ["client_secret_post"],
    };
    return async (request, response) => {
      const url = new URL(request.url ?? "/", origin);
      if (url.pathname === `${path}/.well-known/openid-configuration`)
        return json(response, { ...metadata, ...script.metadata });
      if (url.pathname === "/keys") return json(response, { keys: [jwk] });
      if (url.pathname === "/v1.0/me/getMemberObjects") {
        script.graphed.push(request.headers.authorization ?? "");
        return json(response, { value: script.graphGroups });
      }
      if (url.pathname === "/authorize") {
        script.asked = url.searchParams;
        const code = `code-${codes.size}`;
        codes.set(code, url.searchParams);
        const back = new URL(url.searchParams.get("redirect_uri") ?? "");
        back.searchParams.set("code", code);
        back.searchParams.set("state", url.searchParams.get("state") ?? "");
        script.answer(back.searchParams);
        return redirect(response, back);
      }
      const body = await bodyOf(request);
      script.exchanged.push(body);
      if (script.token) return json(response, script.token(body));
      const nonce = codes.get(body.get("code") ?? "")?.get("nonce") ?? null;
      return json(response, {
        access_token: "upstream-access-token",
        token_type: "Bearer",
        expires_in: 300,
        refresh_token: "upstream-refresh-token",
        id_token: await idToken(nonce),
      });
    };
  });
  return Object.assign(script, server);
}
