import { readFileSync } from "node:fs";
import { Liquid } from "liquidjs";
import { egressRanges } from "./egress-ranges.ts";
import { originPattern } from "./origin-pattern.ts";
import type { MachineSettings } from "./settings.ts";

/** Strict: a misspelt variable or filter is an error, not an empty string in a file that root reads. */
const engine = new Liquid({ strictVariables: true, strictFilters: true, ownPropertyOnly: true });

/** `{{ x | quote }}`: a value for a file that both a shell and systemd's EnvironmentFile= read. */
engine.registerFilter("quote", (value: unknown) => `'${String(value).replaceAll("'", "'\\''")}'`);

/** `{{ x | origin }}`: an entry of `allowedOrigins` as a regular expression for NGINX. */
engine.registerFilter("origin", (value: unknown) => originPattern(String(value)));

/**
 * Text of a file under `cloud-init/` as it will lie on the machine: a name that ends in `.liquid` is rendered with the
 * settings, and lines that are only a comment are left out, because EC2 takes no more than 16,384 bytes of user-data.
 */
export function renderFile(name: string, settings: Partial<MachineSettings>): string {
  const text = readFileSync(new URL(name, import.meta.url), "utf8");
  try {
    const rendered = name.endsWith(".liquid")
      ? engine.parseAndRenderSync(text, { ...settings, egressRanges: egressRanges() })
      : text;
    return (rendered as string).replace(/^[ \t]*#(?!!).*\n/gm, "");
  } catch (error) {
    throw new Error(`cloud-init/${name}: ${(error as Error).message}`);
  }
}
