import type { MachineRef } from "./machine-ref.ts";
import { serverCommand } from "./server-command.ts";

export interface Token {
  id: string;
  name: string;
  scopes: string[];
  createdAt: string;
  expiresAt?: string | null;
  /** Calls a day; missing: the server's default; 0: no limit. */
  quota?: number;
  /** Up to a minute late; missing: never used. */
  lastUsedAt?: string;
  callsToday?: number;
}

export interface NewToken extends Token {
  /** The secret itself. The machine keeps only its hash. */
  token: string;
}

/** Runs the server's own command `token` on the machine. */
const tokenCommand = (ref: MachineRef, ...args: string[]): Promise<string> =>
  serverCommand(ref, ["token", ...args]);

/** The tokens that the machine accepts, without their secrets. */
export async function tokens(ref: MachineRef): Promise<Token[]> {
  const answer = JSON.parse(await tokenCommand(ref, "list", "--json"));
  return Array.isArray(answer) ? answer : answer.tokens;
}

export interface TokenRequest {
  name: string;
  /** Seconds until the token expires. Default: it does not expire. */
  ttl?: number | undefined;
  scopes?: string | undefined;
  /** Calls a day. */
  quota?: number | undefined;
}

export async function createToken(ref: MachineRef, request: TokenRequest): Promise<NewToken> {
  const args = ["create", "--name", request.name, "--json"];
  if (request.ttl !== undefined) args.push("--ttl", String(request.ttl));
  if (request.quota !== undefined) args.push("--quota", String(request.quota));
  if (request.scopes) args.push("--scopes", request.scopes);
  return JSON.parse(await tokenCommand(ref, ...args));
}

export async function revokeToken(ref: MachineRef, id: string): Promise<void> {
  await tokenCommand(ref, "revoke", id);
}

/** Runs `work` with a token that is revoked afterwards, and expires after ten minutes in any case. */
export async function withShortToken<T>(ref: MachineRef, work: (token: string) => Promise<T>): Promise<T> {
  const made = await createToken(ref, { name: "doctor", ttl: 600 });
  try {
    return await work(made.token);
  } finally {
    await revokeToken(ref, made.id).catch(() => {}); // it expires by itself
  }
}
