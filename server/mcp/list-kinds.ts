import { createHash } from "node:crypto";
import type { Principal } from "../auth/principal.ts";
import { jsonSchemas } from "../tools/arguments/wire-schema.ts";
import type { Tool } from "../tools/tool.ts";
import { VERSION } from "../version.ts";
import type { ServerParts } from "./server-parts.ts";
import { visibleTools } from "./server-parts.ts";

/** A list that clients keep, and are notified of when it changes. */
interface ListKind {
  /** What a caller sees of the list: a change of these texts is a change of the list. */
  readonly content: (
    parts: ServerParts,
    principal: Principal,
  ) => readonly string[] | Promise<readonly string[]>;
}

/** All lists. A key is also the name in `<key>_list_changed`, the SDK's event, and in the stored session state. */
export const LIST_KINDS = {
  tools: {
    content: (parts, principal) =>
      visibleTools(parts, principal)
        // Whether those are in the list depends on the client, which is not known when the lists are compared.
        .filter(({ onlyFor }) => onlyFor === undefined)
        .map(toolText),
  },
  prompts: {
    content: ({ context, grants }, principal) =>
      grants.access(principal).prompts(context.workspace) ? [VERSION] : [],
  },
  resources: {
    content: async ({ context, grants }, principal) => {
      const workspace = grants.access(principal).resources(context.workspace);
      return ((await workspace?.repositories()) ?? []).map(({ name }) => name);
    },
  },
} as const satisfies Record<string, ListKind>;

export type ListName = keyof typeof LIST_KINDS;

export const LIST_NAMES = Object.keys(LIST_KINDS) as ListName[];

/** Fingerprints of lists, by name. */
export type ListFingerprints = Readonly<Record<string, string>>;

/** Fingerprints of the lists that a caller sees. */
export async function listFingerprints(parts: ServerParts, principal: Principal): Promise<ListFingerprints> {
  const entries = LIST_NAMES.map(async (name) => [
    name,
    digest(await LIST_KINDS[name].content(parts, principal)),
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

const toolTexts = new WeakMap<Tool, string>();

/** Everything that a client sees of a tool. */
function toolText(tool: Tool): string {
  const known = toolTexts.get(tool);
  if (known) return known;
  const { name, title, description } = tool;
  const text = JSON.stringify({ name, title, description, ...jsonSchemas(tool) });
  toolTexts.set(tool, text);
  return text;
}

function digest(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("base64url").slice(0, 16);
}
