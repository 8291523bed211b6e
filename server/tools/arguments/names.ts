import { type Arguments, type InputSchema, isGiven, isObject } from "./input-schema.ts";
import { SYNONYMS } from "./synonyms.ts";

/** Members in which some clients wrap the arguments. */
const WRAPPERS = ["arguments", "args", "input", "params", "parameters", "kwargs"];

/** The arguments without a wrapper around them: `{"arguments": {…}}`. */
export function unwrapped(given: Arguments, schema: InputSchema): Arguments {
  const [only, ...others] = Object.entries(given);
  if (!only || others.length > 0) return given;
  const [name, inner] = only;
  return WRAPPERS.includes(name) && !schema.properties?.[name] && isObject(inner) ? inner : given;
}

/** The arguments under the names in the schema. Names that stand for no argument stay: several clients add arguments of their own. */
export function withSchemaNames(given: Arguments, schema: InputSchema): Arguments {
  const properties = schema.properties ?? {};
  const named: Arguments = {};
  for (const [key, value] of Object.entries(given)) if (Object.hasOwn(properties, key)) named[key] = value;
  for (const [key, value] of Object.entries(given)) {
    if (Object.hasOwn(properties, key)) continue;
    const meant = meantBy(key, properties);
    // `-n: true` of grep is not a number of results.
    const isSwitch =
      typeof value === "boolean" && meant !== undefined && properties[meant]?.type !== "boolean";
    if (meant === undefined || (isSwitch && properties[meant]?.enum === undefined)) named[key] = value;
    else if (!isGiven(named[meant])) named[meant] = value;
  }
  return named;
}

/** `startLine`, `start-line` and `--start-line` as `start_line`. */
export const snakeCase = (key: string) =>
  key
    .trim()
    .replace(/^-+/, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[\s-]+/g, "_")
    .toLowerCase();

/** The argument that a name with another spelling stands for. */
function meantBy(key: string, properties: Readonly<Record<string, InputSchema>>): string | undefined {
  const snake = snakeCase(key);
  if (Object.hasOwn(properties, snake)) return snake;
  const names = Object.keys(properties);
  const synonym = names.find((name) => Object.hasOwn(SYNONYMS, name) && SYNONYMS[name]?.includes(snake));
  if (synonym !== undefined) return synonym;
  // A slip in a long name: "max_result", "include_bodies".
  const similar = snake.length < 5 ? [] : names.filter((name) => isSlipOf(snake, name));
  return similar.length === 1 ? similar[0] : undefined;
}

/** Whether the names differ in one character that is added, missing or replaced. */
function isSlipOf(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 1) return false;
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  let end = 0;
  while (
    end < Math.min(one.length, other.length) - start &&
    one[one.length - 1 - end] === other[other.length - 1 - end]
  )
    end++;
  return Math.max(one.length, other.length) - start - end <= 1;
}
