import { createHash } from "node:crypto";
import { bodyOf, json, type Loopback, loopback, redirect } from "./loopback.ts";
import { CLIENT, SECRET } from "./openid-provider.ts";

export interface GitHubAccount {
  id: number;
  login: string;
  name: string | null;
  emails: { email: string; verified: boolean; primary: boolean }[];
  orgs: string[];
  teams: { org: string; slug: string }[];
}

export const OCTOCAT: GitHubAccount = {
  id: 583231,
  login: "Octocat",
  name: "The Octocat",
  emails: [
    { email: "other@example.net", verified: true, primary: false },
    { email: "Octo@Example.com", verified: true, primary: true },
    { email: "boss@example.org", verified: false, primary: false },
  ],
  orgs: ["Acme"],
  teams: [{ org: "Acme", slug: "platform" }],
};

export interface GitHubServer extends Loopback {
  account: GitHubAccount;
  /** Tokens that the person or an administrator took back. */
  revoked: boolean;
  /** What the authorization page was asked for last. */
  asked: URLSearchParams;
}

/**
 * Stands in for github.com, which cannot be here: the endpoints of its web flow and of its REST API under `/api/v3`, as GitHub Enterprise
 * Server has them, with GitHub's habits: errors with status 200, pages of `per_page`, a check of PKCE.
 */
export async function gitHubServer(account: GitHubAccount = OCTOCAT): Promise<GitHubServer> {
  const state = { account, revoked: false, asked: new URLSearchParams() };
  const codes = new Map<string, URLSearchParams>();
  const server = await loopback((origin) => async (request, response) => {
    const url = new URL(request.url ?? "/", origin);
    if (url.pathname === "/login/oauth/authorize") {
      state.asked = url.searchParams;
      const code = `gh-${codes.size}`;
      codes.set(code, url.searchParams);
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      back.search = String(new URLSearchParams({ code, state: url.searchParams.get("state") ?? "" }));
      return redirect(response, back);
    }
    if (url.pathname === "/login/oauth/access_token") {
      const body = await bodyOf(request);
      const asked = codes.get(body.get("code") ?? "");
      codes.delete(body.get("code") ?? "");
      const challenge = createHash("sha256")
        .update(body.get("code_verifier") ?? "")
        .digest("base64url");
      if (body.get("client_id") !== CLIENT || body.get("client_secret") !== SECRET)
        return json(response, { error: "incorrect_client_credentials" });
      if (!asked || asked.get("code_challenge") !== challenge)
        return json(response, { error: "bad_verification_code" });
      if (asked.get("redirect_uri") !== body.get("redirect_uri"))
        return json(response, { error: "redirect_uri_mismatch" });
      return json(response, { access_token: "gho_token", token_type: "bearer", scope: asked.get("scope") });
    }
    if (state.revoked || request.headers.authorization !== "Bearer gho_token")
      return json(response, { message: "Bad credentials" }, 401);
    const { id, login, name, emails, orgs, teams } = state.account;
    const answers: Record<string, unknown[]> = {
      "/api/v3/user/emails": emails,
      "/api/v3/user/orgs": orgs.map((org) => ({ login: org })),
      "/api/v3/user/teams": teams.map(({ org, slug }) => ({ slug, organization: { login: org } })),
    };
    if (url.pathname === "/api/v3/user") return json(response, { id, login, name });
    const found = answers[url.pathname];
    if (!found) return json(response, { message: "Not Found" }, 404);
    const size = Number(url.searchParams.get("per_page") ?? 30);
    const from = (Number(url.searchParams.get("page") ?? 1) - 1) * size;
    return json(response, found.slice(from, from + size));
  });
  return Object.assign(state, server);
}
