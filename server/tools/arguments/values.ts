import { type InputSchema, isObject, jsonIn } from "./input-schema.ts";
import { VALUE_SYNONYMS } from "./synonyms.ts";

/** Stands for an argument that is dropped, so that the default of the schema applies. */
export const ABSENT = Symbol("absent");

/** A value in the type of the schema. What has no unambiguous meaning in that type stays, and the schema refuses it. */
export function coerce(name: string, value: unknown, schema: InputSchema, optional: boolean): unknown {
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
  const split = list?.flatMap((item) => (typeof item === "string" ? itemsIn(item, items) : [item]));
  return (
    split?.map((item) => coerce(name, item, items, true)).filter((item) => item !== ABSENT && item !== "") ??
    value
  );
}

/** `class, function` is a list of names, and `*.ts, *.js` of globs. The comma in `*.{ts,tsx}` belongs to the glob. */
function itemsIn(text: string, items: InputSchema): string[] {
  if (items.enum) return text.split(/[\s,|]+/);
  return /\{[^}]*,/.test(text) ? [text] : text.split(/\s*,\s*/);
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
  if (text === 1 || text === "1" || text === "true" || text === "yes" || text === "on") return true;
  if (text === 0 || text === "0" || text === "false" || text === "no" || text === "off") return false;
  return optional && (text === "none" || text === "null" || text === "undefined") ? ABSENT : value;
}

function textOf(name: string, value: unknown, schema: InputSchema): unknown {
  const one = name === "glob" ? globOf(value) : value;
  const [only] = Array.isArray(one) && one.length === 1 ? one : [one];
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

/** Several globs, as a list or JSON text, with commas between them. */
function globOf(value: unknown): unknown {
  const list = typeof value === "string" ? (jsonIn(value, "[") ?? [value]) : value;
  if (!Array.isArray(list) || !list.every((item) => typeof item === "string")) return value;
  const globs = list.filter((item) => item !== "");
  return globs.length > 1 ? globs.join(",") : globs;
}
