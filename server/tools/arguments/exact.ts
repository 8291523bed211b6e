import type { Arguments, InputSchema } from "./input-schema.ts";
import { PATH_ARGUMENTS } from "./paths.ts";

/** Arguments whose values mean more than their type says: ranges of lines, and what may be several globs. */
const CONVERTED: ReadonlySet<string> = new Set([...PATH_ARGUMENTS, "glob", "start_line", "end_line"]);

/**
 * Whether arguments are as the schema publishes them, so that there is nothing to convert. Most are, and to find that out takes a tenth of
 * the conversion. False for whatever is not obvious.
 */
export function isExact(args: Arguments, { properties = {} }: InputSchema): boolean {
  for (const name of Object.keys(args)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!property || CONVERTED.has(name) || !isExactValue(args[name], property)) return false;
  }
  return true;
}

function isExactValue(value: unknown, { type, enum: values, minimum = 0, maximum }: InputSchema): boolean {
  switch (type) {
    case "string":
      if (typeof value !== "string" || value === "") return false;
      return values ? values.includes(value) : !value.startsWith("[");
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      if (!Number.isSafeInteger(value)) return false;
      return (
        (value as number) >= Math.max(0, minimum) && (value as number) <= (maximum ?? Number.MAX_SAFE_INTEGER)
      );
    default:
      return false;
  }
}
