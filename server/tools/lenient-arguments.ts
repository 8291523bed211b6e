import { SYNONYMS, VALUE_SYNONYMS } from "./synonyms.ts";

/** The part of JSON Schema that the inputs of the tools use. */
export interface InputSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, InputSchema>>;
  readonly required?: readonly string[];
  readonly items?: InputSchema;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

type Arguments = Record<string, unknown>;

/** Stands for an argument that is dropped, so that the default of the schema applies. */
const ABSENT = Symbol("absent");

/**
 * Converts arguments, as real clients and models send them, to the form of the schema. The published schema stays strict: this function
 * converts only what is unambiguous, and the schema refuses the rest.
 *
 * - `null`, and `""` if the schema has no use for it, count as missing (CrewAI, mcp-use and strict modes fill them in).
 * - A string with JSON counts as the array or object in it, a single value as a list of one.
 * - `"20"` and `"true"` count as a number and a boolean, a number as a string. A size beyond its limit counts as the limit.
 * - A name in camelCase or other case, or a well-known synonym, counts as the argument.
 *
 * Pure. It passes on what it does not know.
 */
export function lenientArguments(given: unknown, schema: InputSchema): unknown {
  const properties = schema.properties ?? {};
  const value = typeof given === "string" ? (jsonIn(given, "{") ?? given) : (given ?? {});
  if (!isObject(value)) return value;
  const named: Arguments = {};
  for (const [key, argument] of Object.entries(value)) if (key in properties) named[key] = argument;
  for (const [key, argument] of Object.entries(value)) {
    if (key in properties) continue;
    const meant = meantBy(key, properties);
    // Other names stay: several clients add arguments of their own, and the schema ignores them.
    if (meant === undefined) named[key] = argument;
    else if (!isGiven(named[meant])) named[meant] = argument;
  }
  const result: Arguments = {};
  for (const [key, argument] of Object.entries(named)) {
    const property = properties[key];
    const optional = !schema.required?.includes(key);
    const meant = property ? coerce(key, argument, property, optional) : argument;
    if (meant !== ABSENT) result[key] = meant;
  }
  return result;
}

const isObject = (value: unknown): value is Arguments =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isGiven = (value: unknown) => value !== undefined && value !== null && value !== "";

/** The argument that a name with another spelling stands for. */
function meantBy(key: string, properties: Readonly<Record<string, InputSchema>>): string | undefined {
  const snake = key
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[\s-]+/g, "_")
    .toLowerCase();
  if (Object.hasOwn(properties, snake)) return snake;
  return Object.keys(properties).find(
    (name) => Object.hasOwn(SYNONYMS, name) && SYNONYMS[name]?.includes(snake),
  );
}

function coerce(name: string, value: unknown, schema: InputSchema, optional: boolean): unknown {
  if (value === undefined || value === null) return optional ? ABSENT : value;
  if (value === "" && optional && !takesEmptyText(schema)) return ABSENT;
  switch (schema.type) {
    case "array":
      return listOf(name, value, schema.items ?? {});
    case "object":
      return typeof value === "string" ? (jsonIn(value, "{") ?? value) : value;
    case "integer":
    case "number":
      return numberOf(value, schema, optional);
    case "boolean":
      return booleanOf(value, optional);
    case "string":
      return textOf(name, value, schema);
    default:
      return value;
  }
}

/** Whether `""` is a valid value, for instance the default. */
const takesEmptyText = (schema: InputSchema) => schema.type === "string" && schema.default === "";

function listOf(name: string, value: unknown, items: InputSchema): unknown {
  const parsed = typeof value === "string" ? (jsonIn(value, "[") ?? value) : value;
  const list = Array.isArray(parsed) ? parsed : isObject(parsed) ? undefined : [parsed];
  // `class, function` is a list of names. A glob may contain a comma (`*.{ts,tsx}`).
  const split = items.enum
    ? list?.flatMap((item) => (typeof item === "string" ? item.split(/[\s,|]+/) : [item]))
    : list;
  return (
    split?.map((item) => coerce(name, item, items, true)).filter((item) => item !== ABSENT && item !== "") ??
    value
  );
}

function numberOf(value: unknown, schema: InputSchema, optional: boolean): unknown {
  let number = value;
  if (typeof value === "string") {
    const text = value.trim();
    if (optional && /^(none|null|undefined)$/i.test(text)) return ABSENT;
    if (!/^[+-]?\d+(\.\d+)?$/.test(text)) return value;
    number = Number(text);
  }
  if (typeof number !== "number" || !Number.isFinite(number)) return value;
  if (schema.type === "integer" && !Number.isInteger(number)) return value;
  if (!optional) return number;
  // -1 for "to the end" or "all".
  if (number < 0 && (schema.default === undefined || schema.default !== schema.minimum)) return ABSENT;
  if (schema.default === undefined) return number;
  return Math.min(schema.maximum ?? number, Math.max(schema.minimum ?? number, number));
}

function booleanOf(value: unknown, optional: boolean): unknown {
  const text = typeof value === "string" ? value.trim().toLowerCase() : value;
  if (text === 1 || text === "1" || text === "true" || text === "yes") return true;
  if (text === 0 || text === "0" || text === "false" || text === "no") return false;
  return optional && (text === "none" || text === "null" || text === "undefined") ? ABSENT : value;
}

function textOf(name: string, value: unknown, schema: InputSchema): unknown {
  const [only] = Array.isArray(value) && value.length === 1 ? value : [value];
  const parsed =
    typeof only === "string" && only.startsWith('["') && schema.enum === undefined
      ? jsonIn(only, "[")
      : undefined;
  const single =
    Array.isArray(parsed) && parsed.length === 1 && name !== "query" && name !== "pattern" ? parsed[0] : only;
  const text = typeof single === "number" || typeof single === "boolean" ? String(single) : single;
  if (typeof text !== "string") return value;
  if (!schema.enum || schema.enum.includes(text)) return text;
  const lower = text.trim().toLowerCase();
  return schema.enum.find((one) => one === lower || one === VALUE_SYNONYMS[name]?.[lower]) ?? text;
}

/** Parses a string with a JSON array or object; undefined for any other. */
function jsonIn(text: string, opening: "[" | "{"): unknown {
  if (!text.trimStart().startsWith(opening)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The arguments of a tool on one line, for a refusal: `{"query": string, "regex"?: boolean, …}`. */
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
