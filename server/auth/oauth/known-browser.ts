import type { FastifyReply, FastifyRequest } from "fastify";
import { addCookie, readCookie } from "../../http/cookies.ts";
import { networkOf } from "../../http/network.ts";
import type { People } from "../people.ts";

/** By which cookie a browser is known, in which somebody signed in before. It signs nobody in. */
const cookieName = (issuer: string) => `${issuer.startsWith("https:") ? "__Host-" : ""}mcp_edge_browser`;
/** 180 days. */
const SECONDS = 180 * 86_400;

/** @returns by what the attempts for this login are counted: the browser where it is known as this person's, else the network */
export async function sourceOf(
  request: FastifyRequest,
  { issuer, people }: { issuer: string; people: People },
  login: string,
): Promise<string> {
  const secret = readCookie(request, cookieName(issuer));
  return (secret && (await people.knownBrowser(secret, login))) || networkOf(request.ip);
}

/** After a sign-in. A browser that is known already stays as it is. */
export async function rememberBrowser(
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, people }: { issuer: string; people: People },
  person: { id: string; login: string },
): Promise<void> {
  const name = cookieName(issuer);
  const secret = readCookie(request, name);
  if (secret && (await people.knownBrowser(secret, person.login))) return;
  const value = await people.rememberBrowser(person.id);
  addCookie(reply, { name, value, secure: issuer.startsWith("https:"), sameSite: "Lax", seconds: SECONDS });
}
