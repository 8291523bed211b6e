import { createHash, randomBytes } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { addCookie, readCookie } from "../../http/cookies.ts";

/** As long as an attempt may take, seconds. */
const SECONDS = 600;

/**
 * Tells a browser apart from others on its way to a provider and back, where no client's sign-in does. `Lax`: with `Strict` the browser would
 * not send it when it comes back from the provider's pages.
 */
export class BrowserCookie {
  readonly #secure: boolean;
  readonly #name: string;

  /** @param origin of this server */
  constructor(origin: string) {
    this.#secure = origin.startsWith("https:");
    this.#name = `${this.#secure ? "__Host-" : ""}mcp_edge_provider`;
  }

  /** @returns what the store may hold of it; undefined without a cookie */
  read(request: FastifyRequest): string | undefined {
    const value = readCookie(request, this.#name);
    return value !== undefined && /^[\w-]{43}$/.test(value) ? hashOf(value) : undefined;
  }

  set(reply: FastifyReply): string {
    const value = randomBytes(32).toString("base64url");
    addCookie(reply, {
      name: this.#name,
      value,
      secure: this.#secure,
      sameSite: "Lax",
      seconds: SECONDS,
    });
    return hashOf(value);
  }
}

const hashOf = (value: string) => createHash("sha256").update(value).digest("base64url");
