import { withDerived } from "./derived.ts";
import { isExact } from "./exact.ts";
import { type Arguments, type InputSchema, isEmptyList, isObject, jsonIn } from "./input-schema.ts";
import { unwrapped, withSchemaNames } from "./names.ts";
import { withPlainPaths } from "./paths.ts";
import { ABSENT, coerce } from "./values.ts";

/**
 * Converts arguments, as real clients and models send them, to the form of the schema. The published schema stays strict: this function
 * converts only what is unambiguous, and the schema refuses the rest.
 *
 * - `null`, and `""` if the schema has no use for it, count as missing (CrewAI, mcp-use and strict modes fill them in).
 * - A string with JSON counts as the array or object in it, a single value as a list of one.
 * - `"20"` and `"true"` count as a number and a boolean, a number as a string. A size beyond its limit counts as the limit.
 * - A name in camelCase or other case, with a slip, or a well-known synonym, counts as the argument.
 * - A URI, a place (`src/a.ts:12`) and a path with slashes around it count as the path.
 *
 * Pure. It passes on what it does not know.
 */
export function lenientArguments(given: unknown, schema: InputSchema): unknown {
  const value =
    typeof given === "string"
      ? given.trim() === ""
        ? {}
        : (jsonIn(given, "{") ?? given)
      : isEmptyList(given)
        ? {}
        : (given ?? {});
  if (!isObject(value) || isExact(value, schema)) return value;
  const args = withPlainPaths(withDerived(withSchemaNames(unwrapped(value, schema), schema), schema), schema);
  const result: Arguments = {};
  for (const [key, argument] of Object.entries(args)) {
    const property = Object.hasOwn(schema.properties ?? {}, key) ? schema.properties?.[key] : undefined;
    const optional = !schema.required?.includes(key);
    const meant = property ? coerce(key, argument, property, optional) : argument;
    if (meant !== ABSENT) result[key] = meant;
  }
  return result;
}
