import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { addCookie, readCookie } from "../http/cookies.ts";
import { Refusal } from "../http/errors.ts";

export interface FormTokensOptions {
  readonly origin: string;
  /** The newest first. */
  readonly secrets: () => readonly string[];
}

/** Ties a form to the browser that it was sent to, where there is no session: a cookie, and its HMAC in a hidden field. */
export class FormTokens {
  readonly #options: FormTokensOptions;
  readonly #cookie: string;

  constructor(options: FormTokensOptions) {
    this.#options = options;
    this.#cookie = `${options.origin.startsWith("https:") ? "__Host-" : ""}mcp_edge_form`;
  }

  /** Sets the cookie where there is none. @returns the value of the hidden field */
  issue(request: FastifyRequest, reply: FastifyReply, page: string): string {
    const value = this.#read(request) ?? randomBytes(32).toString("base64url");
    const secure = this.#options.origin.startsWith("https:");
    addCookie(reply, { name: this.#cookie, value, secure, sameSite: "Strict" });
    return this.#sign(value, page, this.#options.secrets()[0] ?? "");
  }

  /** @throws Refusal 403 when the form is not from this page in this browser */
  check(request: FastifyRequest, page: string, token: string | null): void {
    const { origin } = request.headers;
    const value = this.#read(request);
    const given = Buffer.from(token ?? "");
    const right = (secret: string) => {
      const expected = Buffer.from(this.#sign(value ?? "", page, secret));
      return expected.length === given.length && timingSafeEqual(expected, given);
    };
    const own = origin === undefined || origin === this.#options.origin;
    if (own && value !== undefined && this.#options.secrets().some(right)) return;
    throw new Refusal(403, "This form is not from this page. Open the link again.");
  }

  #read(request: FastifyRequest): string | undefined {
    const value = readCookie(request, this.#cookie);
    return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
  }

  #sign(value: string, page: string, secret: string): string {
    return createHmac("sha256", secret).update(`form ${page} ${value}`).digest("base64url");
  }
}
