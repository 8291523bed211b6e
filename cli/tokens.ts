import { onServer } from "../infra/local/deployment.ts";
import type { Deployed } from "./deployed.ts";

export interface Token {
  id: string;
  name: string;
  scopes: string[];
  createdAt: string;
  expiresAt?: string | null;
  /** Calls a day; missing: the server's default; 0: no limit. */
  quota?: number;
  /** At most a minute behind; missing: never used. */
  lastUsedAt?: string;
  callsToday?: number;
}

export interface NewToken extends Token {
  /** The secret itself; the machine keeps its hash alone. */
  token: string;
}

const ask = async (deployed: Deployed, ...args: string[]) =>
  onServer(deployed.stack, deployed.networkIndex, ["token", ...args]);

/** The tokens that the machine knows; never their secrets. */
export async function tokens(deployed: Deployed): Promise<Token[]> {
  const answer = JSON.parse(await ask(deployed, "list", "--json"));
  return Array.isArray(answer) ? answer : answer.tokens;
}

export interface TokenRequest {
  name: string;
  /** Seconds until it expires; without it, it does not. */
  ttl?: number;
  scopes?: string;
  /** Calls a day. */
  quota?: number;
}

export async function createToken(deployed: Deployed, request: TokenRequest): Promise<NewToken> {
  const args = ["create", "--name", request.name, "--json"];
  if (request.ttl !== undefined) args.push("--ttl", String(request.ttl));
  if (request.quota !== undefined) args.push("--quota", String(request.quota));
  if (request.scopes) args.push("--scopes", request.scopes);
  return JSON.parse(await ask(deployed, ...args));
}

export async function revokeToken(deployed: Deployed, id: string): Promise<void> {
  await ask(deployed, "revoke", id);
}

/** Run `work` with a token that lives ten minutes at the most and is revoked afterwards. */
export async function withShortToken<T>(deployed: Deployed, work: (token: string) => Promise<T>): Promise<T> {
  const made = await createToken(deployed, { name: "doctor", ttl: 600 });
  try {
    return await work(made.token);
  } finally {
    await revokeToken(deployed, made.id).catch(() => {}); // it expires by itself
  }
}
