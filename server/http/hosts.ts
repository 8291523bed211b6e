import { localhostAllowedHostnames } from "@modelcontextprotocol/server";
import type { ServerConfig } from "../config/config.ts";
import { Origins } from "./origins.ts";

/** Host names that requests may name, and whose pages may call: against DNS rebinding (a page that points its own name at us). */
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
