import { type Arguments, type InputSchema, isObject } from "./input-schema.ts";

/** Values for arguments in examples. */
const EXAMPLES: Readonly<Record<string, unknown>> = {
  query: "TODO",
  pattern: "console.log($$$)",
  name: "main",
  symbol: "main",
  path: "README.md",
  id: "repo:README.md",
  line: 1,
};

/** Longest example, characters. */
const MAX_EXAMPLE = 600;

/**
 * The end of a refusal: the arguments of the tool with their types, and a call that is accepted. The call keeps what was right in the refused one.
 *
 * @param given the arguments after lenientArguments
 * @param wrong names of the arguments that the schema refused
 */
export function refusalHelp(
  tool: string,
  schema: InputSchema,
  given: unknown,
  wrong: ReadonlySet<string>,
): string {
  return `${tool} takes ${describeArguments(schema)}. Send for example: ${exampleCall(schema, given, wrong)}`;
}

function exampleCall(schema: InputSchema, given: unknown, wrong: ReadonlySet<string>): string {
  const properties = schema.properties ?? {};
  const required: Arguments = {};
  for (const name of schema.required ?? []) required[name] = exampleOf(name, properties[name] ?? {});
  const kept = Object.entries(isObject(given) ? given : {}).filter(
    ([name]) => Object.hasOwn(properties, name) && !wrong.has(name),
  );
  const whole = JSON.stringify({ ...required, ...Object.fromEntries(kept) });
  return whole.length <= MAX_EXAMPLE ? whole : JSON.stringify(required);
}

function exampleOf(name: string, schema: InputSchema): unknown {
  if (schema.enum) return schema.enum[0];
  if (Object.hasOwn(EXAMPLES, name)) return EXAMPLES[name];
  if (schema.type === "array") return [];
  if (schema.type === "boolean") return true;
  return schema.type === "integer" ? (schema.minimum ?? 1) : "text";
}

/** The arguments of a tool on one line: `{"query": string, "regex"?: boolean, …}`. */
export function describeArguments(schema: InputSchema): string {
  const entries = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const mark = schema.required?.includes(name) ? "" : "?";
    return `"${name}"${mark}: ${typeName(property)}`;
  });
  return `{${entries.join(", ")}}`;
}

function typeName(schema: InputSchema): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") {
    const item = typeName(schema.items ?? {});
    return item.includes(" ") ? `(${item})[]` : `${item}[]`;
  }
  return schema.type ?? "any";
}
