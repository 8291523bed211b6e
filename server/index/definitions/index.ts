import { CONFIGURATION } from "./configuration.ts";
import { FUNCTIONAL } from "./functional.ts";
import { MANAGED } from "./managed.ts";
import { SCRIPTING } from "./scripting.ts";
import { SYSTEMS } from "./systems.ts";
import { WEB } from "./web.ts";

/**
 * The definitions of each language, as queries of tree-sitter. The outer capture is the definition, and the capture is named after its kind
 * (languages.ts, or `impl` for a container that is not a symbol). `@name` is the name, `@parent` a container that does not enclose it,
 * `@package` the package of the whole file. Captures whose name begins with "_" are for predicates only. The patterns go from the specific
 * to the general.
 * Local variables are left out: they would be most of the index, and users do not search for them by name.
 */
export const QUERIES: Record<string, string> = {
  ...WEB,
  ...SYSTEMS,
  ...MANAGED,
  ...SCRIPTING,
  ...FUNCTIONAL,
  ...CONFIGURATION,
};
