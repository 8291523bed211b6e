import { readFileSync } from "node:fs";
import { Liquid } from "liquidjs";
import { BUNDLED_SERVER } from "./app.ts";
import { egressProviders, egressRanges } from "./egress-ranges.ts";
import { originPattern } from "./origin-pattern.ts";
import type { MachineSettings } from "./settings.ts";

/** Strict: a misspelt variable or filter is an error, not an empty string in a file that root reads. */
const engine = new Liquid({
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  /** For `{% render "files/…" %}` and `{% include "files/…" %}`. */
  root: import.meta.dirname,
});

/** `{{ x | quote }}`: a value for a file that both a shell and systemd's EnvironmentFile= read. */
engine.registerFilter("quote", (value: unknown) => `'${String(value).replaceAll("'", "'\\''")}'`);

/** `{{ x | variable }}`: the same, in quotes only where it needs them. */
engine.registerFilter("variable", (value: unknown) =>
  /^[\w.:/@%+,-]*$/.test(String(value)) ? String(value) : `"${value}"`,
);

/** `{{ x | origin }}`: an entry of `allowedOrigins` as a regular expression for NGINX. */
engine.registerFilter("origin", (value: unknown) => originPattern(String(value)));

/** `{{ x | regexp }}`: a text as a regular expression for Caddy, without blanks, which would end its argument. */
engine.registerFilter("regexp", (value: unknown) =>
  String(value)
    .replace(/[.+*?^$()[\]{}|\\]/g, "\\$&")
    .replaceAll(" ", "\\s"),
);

/** `{{ allowedClients | ranges }}`: the address ranges of the entries, with those of the providers that are named, for Caddy. */
engine.registerFilter("ranges", (entries: readonly string[]) => {
  const providers = new Map(egressProviders().map(({ name, ranges }) => [name.toLowerCase(), ranges]));
  return entries.flatMap((entry) => providers.get(entry) ?? [entry]).join(" ");
});

/** `{{ x | pattern }}`: a text as a regular expression for NGINX, in double quotes. */
engine.registerFilter("pattern", (value: unknown) => String(value).replace(/[.+()]/g, "\\\\$&"));

/** `{{ x | family: 4 }}`: of a list of address ranges those of one family. */
engine.registerFilter("family", (ranges: readonly string[], family: 4 | 6) =>
  ranges.filter((range) => range.includes(":") === (family === 6)),
);

/**
 * Text of a file under `cloud-init/`, with its comments. A name that ends in `.liquid` is rendered with the settings.
 *
 * @throws Error when the template names an unknown variable or filter
 */
export function renderTemplate(name: string, settings: Partial<MachineSettings>): string {
  const text = readFileSync(new URL(name, import.meta.url), "utf8");
  if (!name.endsWith(".liquid")) return text;
  try {
    const scope = {
      trustedCa: "",
      originMachine: null,
      ...settings,
      app: BUNDLED_SERVER,
      egressProviders: egressProviders(),
      egressRanges: egressRanges(),
    };
    return engine.parseAndRenderSync(text, scope) as string;
  } catch (error) {
    throw new Error(`cloud-init/${name}: ${(error as Error).message}`);
  }
}

/** The same as it lies on the machine: without the lines that are only a comment, because EC2 takes no more than 16,384 bytes of user-data. */
export const renderFile = (name: string, settings: Partial<MachineSettings>): string =>
  renderTemplate(name, settings).replace(/^[ \t]*#(?!!).*\n/gm, "");
