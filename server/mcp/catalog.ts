import { createHash } from "node:crypto";
import * as z from "zod";
import type { Principal } from "../auth/principal.ts";
import type { Tool } from "../tools/tool.ts";
import { VERSION } from "../version.ts";
import type { ServerParts } from "./server-factory.ts";
import type { Lists } from "./watch.ts";

const stamps = new WeakMap<Tool, string>();

/** Something that is different when a client would see the tool differently. */
function stampOf(tool: Tool): string {
  const known = stamps.get(tool);
  if (known) return known;
  const { name, title, description, input, output } = tool;
  const shown = {
    name,
    title,
    description,
    input: z.toJSONSchema(input, { io: "input" }),
    output: z.toJSONSchema(output),
  };
  const stamp = JSON.stringify(shown);
  stamps.set(tool, stamp);
  return stamp;
}

/** The tools that a caller may use whenever this server has what they need. */
export function allowedTools({ tools }: ServerParts, { scopes }: Principal): Tool[] {
  return tools.filter((tool) => scopes.includes(tool.scope));
}

/** The tools that a caller may use just now. */
export function visibleTools(parts: ServerParts, principal: Principal): Tool[] {
  return allowedTools(parts, principal).filter((tool) => parts.capabilities?.allow(tool) ?? true);
}

/** Stamps of what tools/list, prompts/list and resources/list answer a caller. */
export async function listStamps(parts: ServerParts, principal: Principal): Promise<Lists> {
  const mayRead = principal.scopes.includes("code:read");
  const repositories = mayRead ? await parts.context.workspace.repositories() : [];
  return {
    tools: digest(visibleTools(parts, principal).map(stampOf)),
    prompts: digest(mayRead ? [VERSION] : []),
    resources: digest(repositories.map((r) => r.name)),
  };
}

function digest(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("base64url").slice(0, 16);
}
