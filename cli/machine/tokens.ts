import { onServer } from "../../infra/local/deployment.ts";
import { type Deployed, readDeployed } from "../stack/outputs.ts";
import { type AwsPlace, awsOutput, awsPlace } from "./aws-ssh.ts";

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

/** Where a server is: on this host, or in AWS. */
export type Place = Pick<Deployed, "stack" | "networkIndex"> | AwsPlace;

/**
 * @param machine of a stack in AWS: its number from 1, or its id; default: the first
 * @throws Error that names the command when the stack is not up, or has no machines to choose from
 */
export async function placeOf(stack: string, machine?: string): Promise<Place> {
  const place = await awsPlace(stack, machine);
  if (place) return place;
  assertOneMachine(stack, machine);
  return readDeployed(stack);
}

/** @throws Error when a machine is named in a stack of this host */
export function assertOneMachine(stack: string, machine: string | undefined): void {
  if (machine !== undefined && machine !== "1")
    throw new Error(`Stack ${stack} is on this host and has one machine; take out --machine ${machine}`);
}

const ask = (place: Place, ...args: string[]): Promise<string> =>
  "provider" in place
    ? awsOutput(place, ["/usr/local/sbin/mcp-edge-server", "token", ...args])
    : onServer(place.stack, place.networkIndex, ["token", ...args]);

/** The tokens that the machine knows; never their secrets. */
export async function tokens(place: Place): Promise<Token[]> {
  const answer = JSON.parse(await ask(place, "list", "--json"));
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

export async function createToken(place: Place, request: TokenRequest): Promise<NewToken> {
  const args = ["create", "--name", request.name, "--json"];
  if (request.ttl !== undefined) args.push("--ttl", String(request.ttl));
  if (request.quota !== undefined) args.push("--quota", String(request.quota));
  if (request.scopes) args.push("--scopes", request.scopes);
  return JSON.parse(await ask(place, ...args));
}

export async function revokeToken(place: Place, id: string): Promise<void> {
  await ask(place, "revoke", id);
}

/** Run `work` with a token that lives ten minutes at the most and is revoked afterwards. */
export async function withShortToken<T>(place: Place, work: (token: string) => Promise<T>): Promise<T> {
  const made = await createToken(place, { name: "doctor", ttl: 600 });
  try {
    return await work(made.token);
  } finally {
    await revokeToken(place, made.id).catch(() => {}); // it expires by itself
  }
}
