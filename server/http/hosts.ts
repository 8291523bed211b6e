import { localhostAllowedHostnames } from "@modelcontextprotocol/server";
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
