import type { Principal } from "../auth/principal.ts";
import type { Tool } from "../tools/tool.ts";
import type { ServerParts } from "./server-parts.ts";

/** The tools that a caller's scopes permit, whether or not this server has what they need at the moment. */
export function allowedTools({ tools }: ServerParts, { scopes }: Principal): Tool[] {
  return tools.filter((tool) => scopes.includes(tool.scope));
}

/** The tools that a caller may use now. */
export function visibleTools(parts: ServerParts, principal: Principal): Tool[] {
  return allowedTools(parts, principal).filter((tool) => parts.capabilities?.allow(tool) ?? true);
}
