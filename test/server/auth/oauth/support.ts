import { createHash, randomBytes } from "node:crypto";
import { createApp, type ServerApp } from "../../../../server/app.ts";
import type { AuthEvent } from "../../../../server/auth/events.ts";
import type { AuthorizationServer } from "../../../../server/auth/oauth/authorization-server.ts";
import type { DocumentFetch } from "../../../../server/auth/oauth/client-documents.ts";
import type { PasswordAttempt, People, Person } from "../../../../server/auth/people.ts";
import { readConfig, type ServerConfig } from "../../../../server/config/config.ts";
import { freePort } from "../../../support/free-port.ts";

export const ADA: Person = {
  id: "p_ada",
  login: "ada",
  name: "Ada",
  groups: ["staff"],
  scopes: ["code:read"],
};
export const PASSWORD = "correct horse";

/** People in memory. */
export class TestPeople implements People {
  readonly people = new Map<string, Person>([[ADA.id, ADA]]);
  async find(id: string) {
    return this.people.get(id);
  }
  async findByLogin(login: string) {
    return [...this.people.values()].find((person) => person.login === login);
  }
  async signIn({ login, password }: PasswordAttempt) {
    const person = password === PASSWORD ? await this.findByLogin(login) : undefined;
    return person && { person, how: "password" as const };
  }
  async passkeyOptions() {
    return "{}";
  }
  async signInByPasskey() {
    return undefined;
  }
  async knownBrowser() {
    return undefined;
  }
  async rememberBrowser() {
    return "browser";
  }
}

export interface RunningOAuth extends AsyncDisposable {
  app: ServerApp;
  server: AuthorizationServer;
  people: TestPeople;
  origin: string;
  events: AuthEvent[];
  logs: string[];
}

export interface StartOptions {
  env?: Record<string, string>;
  fetch?: DocumentFetch;
  port?: number;
  people?: TestPeople;
  /** The people of the store, as in production. */
  stored?: true;
  /** What no variable can set, such as where Google is. */
  change?: (config: ServerConfig) => ServerConfig;
}

const noDocuments: DocumentFetch = async () => {
  throw new Error("no network in tests");
};

/** The real app in `oauth` mode, under its own address. */
export async function startOAuth(options: StartOptions = {}): Promise<RunningOAuth> {
  const port = options.port ?? (await freePort());
  const origin = `http://127.0.0.1:${port}`;
  const logs: string[] = [];
  const people = options.people ?? new TestPeople();
  const read = readConfig({
    LOG_LEVEL: "trace",
    AUTH_MODE: "oauth",
    PUBLIC_URL: origin,
    TOKENS_FILE: "/nonexistent/tokens.json",
    RATE_LIMIT_ADDRESS: "0",
    SHED_EVENT_LOOP_MS: "0",
    ...options.env,
  });
  const config = options.change?.(read) ?? read;
  const app = await createApp({
    // Nothing is kept, unless the test names a folder.
    config: {
      ...config,
      sessionsDir: options.env?.SESSIONS_DIR,
      audit: { ...config.audit, dir: options.env?.AUDIT_DIR },
    },
    ...(options.stored ? {} : { people }),
    fetchClientDocument: options.fetch ?? noDocuments,
    logStream: { write: (line) => logs.push(line) },
  });
  const events: AuthEvent[] = [];
  app.authEvents.subscribe((event) => events.push(event));
  await app.http.listen({ host: "127.0.0.1", port });
  const { server } = app.auth;
  if (!server) throw new Error("no authorization server");
  return { app, server, people, origin, events, logs, [Symbol.asyncDispose]: () => app.close() };
}

/** A browser: keeps cookies by name and path, follows redirects within the server, and stops at the client's. */
export class Browser {
  readonly cookies = new Map<string, { value: string; path: string }>();

  async get(url: string): Promise<Response> {
    return this.#follow(url, { method: "GET" });
  }

  async submit(page: Response, fields: Record<string, string>): Promise<Response> {
    const html = await page.text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? "";
    return this.post(page.url, { csrf, ...fields });
  }

  post(url: string, fields: Record<string, string>): Promise<Response> {
    return this.#follow(url, { method: "POST", body: new URLSearchParams(fields) });
  }

  async #follow(url: string, init: RequestInit): Promise<Response> {
    const { pathname, origin } = new URL(url);
    const cookie = [...this.cookies]
      .filter(([, { path }]) => pathname === path || path === "/" || pathname.startsWith(`${path}/`))
      .map(([name, { value }]) => `${name}=${value}`)
      .join("; ");
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      headers: { accept: "text/html", ...(cookie ? { cookie } : {}), ...init.headers },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const at = pair.indexOf("=");
      const path = attributes.find((a) => /^path=/i.test(a))?.slice(5) ?? "/";
      const gone = attributes.some((a) => /^expires=Thu, 01 Jan 1970/i.test(a));
      if (gone) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), { value: pair.slice(at + 1), path });
    }
    const location = response.headers.get("location");
    if (!location || response.status < 300 || response.status > 399) return response;
    const next = new URL(location, url);
    return next.origin === origin ? this.#follow(next.href, { method: "GET" }) : response;
  }
}

export interface Pkce {
  verifier: string;
  challenge: string;
}

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** Signs in as Ada where that is asked for, and allows. @returns where the browser is sent with the answer */
export async function allow(browser: Browser, authorizationUrl: string): Promise<URL> {
  let page = await browser.get(authorizationUrl);
  for (let steps = 0; page.status === 200; steps++) {
    if (steps > 3) throw new Error("the sign-in does not end");
    const consent = (await page.clone().text()).includes('value="allow"');
    const fields = consent
      ? { action: "allow", remember: "yes" }
      : { action: "sign-in", login: "ada", password: PASSWORD };
    page = await browser.submit(page, fields as Record<string, string>);
  }
  const location = page.headers.get("location");
  if (!location) throw new Error(`${page.status}: ${await page.text()}`);
  return new URL(location);
}

export async function register(origin: string, body: Record<string, unknown>): Promise<Response> {
  return fetch(`${origin}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

export const REDIRECT = "https://client.example.com/callback";

/** A registered public web client. @returns its id */
export async function registeredClient(origin: string, redirect = REDIRECT): Promise<string> {
  const response = await register(origin, {
    client_name: "Test",
    redirect_uris: [redirect],
    token_endpoint_auth_method: "none",
  });
  return ((await response.json()) as { client_id: string }).client_id;
}

export function authorizationUrl(origin: string, client: string, more: Record<string, string> = {}): string {
  const parameters = {
    client_id: client,
    redirect_uri: REDIRECT,
    response_type: "code",
    code_challenge_method: "S256",
    state: "s1",
    scope: "code:read",
    ...more,
  };
  return `${origin}/authorize?${new URLSearchParams(parameters)}`;
}

export function tokenRequest(origin: string, fields: Record<string, string>): Promise<Response> {
  return fetch(`${origin}/token`, { method: "POST", body: new URLSearchParams(fields) });
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  scope: string;
  expires_in: number;
}

/** The whole flow of one client. */
export async function connect(
  origin: string,
  options: { client?: string; browser?: Browser; more?: Record<string, string> } = {},
): Promise<{ client: string; tokens: Tokens; browser: Browser; code: string; verifier: string }> {
  const client = options.client ?? (await registeredClient(origin));
  const browser = options.browser ?? new Browser();
  const { verifier, challenge } = pkce();
  const url = authorizationUrl(origin, client, { code_challenge: challenge, ...options.more });
  const back = await allow(browser, url);
  const code = back.searchParams.get("code") ?? "";
  const response = await tokenRequest(origin, {
    grant_type: "authorization_code",
    client_id: client,
    code,
    redirect_uri: options.more?.redirect_uri ?? REDIRECT,
    code_verifier: verifier,
  });
  if (!response.ok) throw new Error(`token: ${response.status} ${await response.text()}; ${back}`);
  return { client, tokens: (await response.json()) as Tokens, browser, code, verifier };
}

export const refresh = (origin: string, client: string, token: string, more: Record<string, string> = {}) =>
  tokenRequest(origin, { grant_type: "refresh_token", client_id: client, refresh_token: token, ...more });

/** A call of the MCP endpoint with a token. */
export function list(origin: string, token: string, path = "/mcp"): Promise<Response> {
  return fetch(origin + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} }),
  });
}
