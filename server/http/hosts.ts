import { localhostAllowedHostnames } from "@modelcontextprotocol/server";
import type { ServerConfig } from "../config.ts";

/** Host names that requests may name, and whose pages may call: against DNS rebinding (a page that points its own name at us). */
export function allowedNames(config: Pick<ServerConfig, "publicUrl" | "allowedOrigins">): {
  hosts: string[];
  origins: string[];
} {
  const hosts = [...(config.publicUrl ? [config.publicUrl.hostname] : []), ...localhostAllowedHostnames()];
  return { hosts, origins: [...hosts, ...config.allowedOrigins] };
}
