import type { FastifyReply, FastifyRequest } from "fastify";
import { isMcpPath, jsonRpcError } from "./errors.ts";

/**
 * A rule about which web pages may call the server. An entry has one of four forms:
 *
 * - `chat.example.com`: that host, whatever the scheme and port;
 * - `https://chat.example.com:8443`: exactly that origin;
 * - `https://*.example.com`: every subdomain, not the domain itself;
 * - `vscode-webview://*`: every origin of a scheme other than http and https. Desktop and extension clients have a random host.
 *
 * `null` is the literal origin of sandboxed frames and of `file:` pages (HTML, section 7.1.1).
 */
export type OriginRule = (origin: string) => boolean;

const WEB_SCHEMES = new Set(["http:", "https:"]);

/** @returns undefined if `entry` has none of the forms of OriginRule */
export function parseOriginRule(entry: string): OriginRule | undefined {
  if (entry === "null") return (origin) => origin === "null";
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\/\*$/i.exec(entry)?.[1]?.toLowerCase();
  if (scheme !== undefined)
    // `https://*` would allow every page of the web.
    return WEB_SCHEMES.has(scheme) ? undefined : (origin) => origin.toLowerCase().startsWith(`${scheme}//`);
  const wildcard = /^(https?:\/\/)\*\.([^/*\s]+)$/i.exec(entry);
  if (wildcard) {
    const [, prefix = "", domain = ""] = wildcard;
    const url = parsed(`${prefix}x.${domain}`);
    const suffix = url?.host.slice(1);
    if (!url || !suffix) return undefined;
    return (origin) => {
      const other = parsed(origin);
      return other?.protocol === url.protocol && other.host.endsWith(suffix) && other.host !== suffix;
    };
  }
  if (entry.includes("*")) return undefined;
  if (!entry.includes("://")) {
    const hostname = parsed(`https://${entry}`)?.hostname;
    return hostname ? (origin) => parsed(origin)?.hostname === hostname : undefined;
  }
  const url = parsed(entry);
  if (!url?.host) return undefined;
  const exact = originOf(url);
  return (origin) => {
    const other = parsed(origin);
    return other !== undefined && originOf(other) === exact;
  };
}

/** Joins scheme and host, because `url.origin` is "null" for schemes other than http and https. */
const originOf = (url: URL) => `${url.protocol}//${url.host}`;

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The entry of ALLOWED_ORIGINS that would allow this origin. */
export function originEntryFor(origin: string): string {
  const url = parsed(origin);
  if (!url) return origin === "null" ? "null" : "https://chat.example.com";
  return WEB_SCHEMES.has(url.protocol) ? originOf(url) : `${url.protocol}//*`;
}

/** The origins that may call. A request without an origin comes from a program and is always allowed. */
export class Origins {
  readonly #rules: readonly OriginRule[];

  /** @param entries in the forms of OriginRule. Malformed entries are ignored: readConfig has already refused them */
  constructor(entries: readonly string[]) {
    this.#rules = entries.flatMap((entry) => parseOriginRule(entry) ?? []);
  }

  allows(origin: string | undefined): boolean {
    return origin === undefined || origin === "" || this.#rules.some((rule) => rule(origin));
  }
}

/**
 * An onRequest hook: 403 for a request from a page whose origin is not allowed (MCP 2025-11-25, basic/transports, "Security Warning").
 * The message names the setting that allows the origin.
 */
export function requireAllowedOrigin(origins: Origins) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { origin } = request.headers;
    if (origins.allows(origin)) {
      done();
      return;
    }
    const shown = JSON.stringify(String(origin).slice(0, 200));
    const message = `The origin ${shown} may not call this server. Its operator can allow it with ALLOWED_ORIGINS=${originEntryFor(String(origin).slice(0, 200))} (on a machine: the setting allowedOrigins)`;
    reply
      .code(403)
      .send(
        isMcpPath(request.url)
          ? jsonRpcError(-32_000, message, request.id)
          : { error: message, request_id: request.id },
      );
  };
}
