import { hostHeaderValidation } from "@modelcontextprotocol/fastify";
import { localhostAllowedHostnames } from "@modelcontextprotocol/server";
import type { onRequestHookHandler } from "fastify";
import type { ServerConfig } from "../config/config.ts";
import { Origins } from "./origins.ts";

/**
 * The host names that requests may name, and the origins whose pages may call. They protect against DNS rebinding: a page that points its
 * own host name at this server.
 */
export interface AllowedNames {
  readonly hosts: string[];
  readonly origins: Origins;
}

export function allowedNames(
  config: Pick<ServerConfig, "publicUrl" | "allowedOrigins"> & Partial<Pick<ServerConfig, "tokenDomain">>,
): AllowedNames {
  const hosts = [
    ...(config.publicUrl ? [config.publicUrl.hostname] : []),
    ...(config.tokenDomain ? [config.tokenDomain] : []),
    ...localhostAllowedHostnames(),
  ];
  return { hosts, origins: new Origins([...hosts, ...config.allowedOrigins]) };
}

/** Host headers that are remembered, of each rule. A client may add any port to an allowed name. */
const MAX_ACCEPTED = 100;

/**
 * An onRequest hook: 403 for a request that names another host. The SDK's check, which parses a URL, is made once for each header: parsing
 * takes longer than all other hooks of a request.
 */
export function requireAllowedHost(hosts: string[]): onRequestHookHandler {
  const check = hostHeaderValidation(hosts);
  const accepted = new Set<string>();
  return (request, reply, done) => {
    const { host = "" } = request.headers;
    if (accepted.has(host)) return done();
    check(request, reply).then(() => {
      if (reply.sent) return;
      if (accepted.size >= MAX_ACCEPTED) accepted.clear();
      accepted.add(host);
      done();
    }, done);
  };
}
