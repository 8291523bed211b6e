import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import type { ServerConfig } from "../../../../server/config/config.ts";
import { freePort } from "../../../support/free-port.ts";
import {
  authorizationUrl,
  Browser,
  pkce,
  REDIRECT,
  type RunningOAuth,
  registeredClient,
  startOAuth,
  type Tokens,
  tokenRequest,
} from "../oauth/support.ts";
import { SECRET } from "./openid-provider.ts";

const folder = mkdtempSync(join(tmpdir(), "mcp-edge-upstream-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Client secrets, one for each provider. */
export const SECRETS_FILE = join(folder, "secrets");
const lines = ["google", "github", "entra", "oidc"].map((provider) => `${provider}=${SECRET}`);
writeFileSync(SECRETS_FILE, `# test\n${lines.join("\n")}\n`);

export interface UpstreamOptions {
  port?: number;
  env?: Record<string, string>;
  change?: (config: ServerConfig) => ServerConfig;
}

/** The real app with identity providers. */
export function startWith(providers: string, options: UpstreamOptions = {}): Promise<RunningOAuth> {
  return startOAuth({
    stored: true,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.change ? { change: options.change } : {}),
    env: { IDENTITY_PROVIDERS: providers, IDENTITY_PROVIDER_SECRETS_FILE: SECRETS_FILE, ...options.env },
  });
}

export async function portAndCallback(provider: string): Promise<{ port: number; callback: string }> {
  const port = await freePort();
  return { port, callback: `http://127.0.0.1:${port}/sign-in/callback/${provider}` };
}

/** One client of each server: registrations of one network are limited. */
const clients = new WeakMap<object, Promise<string>>();

/** A person with a browser: cookies of this server and of the provider. */
export class Visitor {
  readonly here = new Browser();
  readonly there = new Browser();
  readonly origin: string;
  readonly keys = pkce();
  client = "";

  readonly #server: object;

  constructor({ origin, server }: Pick<RunningOAuth, "origin" | "server">) {
    this.origin = origin;
    this.#server = server;
  }

  /** Opens the sign-in page of a new authorization. @returns its HTML */
  async open(): Promise<string> {
    const client = clients.get(this.#server) ?? registeredClient(this.origin);
    clients.set(this.#server, client);
    this.client = await client;
    const url = authorizationUrl(this.origin, this.client, { code_challenge: this.keys.challenge });
    return (await this.here.get(url)).text();
  }

  /** Presses the provider's button. @returns where the provider is asked */
  async begin(provider: string): Promise<URL> {
    const page = await this.open();
    const link = new RegExp(`href="(/sign-in/[^"]+/with/${provider})"`).exec(page)?.[1];
    if (!link) throw new Error(`there is no button for ${provider}: ${page}`);
    const response = await this.here.get(this.origin + link);
    const location = response.headers.get("location");
    if (!location) throw new Error(`${response.status}: ${await response.text()}`);
    return new URL(location);
  }

  /** Signs in at the provider. @returns the URL with which it sends the browser back */
  async visit(provider: URL): Promise<URL> {
    const response = await this.there.get(provider.href);
    const location = response.headers.get("location");
    if (!location) throw new Error(`provider: ${response.status}: ${await response.text()}`);
    return new URL(location);
  }

  /** @returns the consent page, or the page that says why not */
  async signIn(provider: string): Promise<Response> {
    return this.here.get((await this.visit(await this.begin(provider))).href);
  }

  /** The whole flow of a client. */
  async connect(provider: string): Promise<Tokens> {
    const consent = await this.signIn(provider);
    if (consent.status !== 200) throw new Error(`${consent.status}: ${await consent.text()}`);
    const back = await this.here.submit(consent, { action: "allow" });
    const code = new URL(back.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const response = await tokenRequest(this.origin, {
      grant_type: "authorization_code",
      client_id: this.client,
      code,
      redirect_uri: REDIRECT,
      code_verifier: this.keys.verifier,
    });
    if (!response.ok) throw new Error(`token: ${response.status} ${await response.text()}`);
    return (await response.json()) as Tokens;
  }
}
