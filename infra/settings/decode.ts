import type { Kind } from "./meta.ts";

/** A value as the schema takes it; or what is wrong with its form. */
export type Decoded =
  | { value: unknown }
  | {
      problem: string /** The same value in the form that is right, where that can be told. */;
      instead?: object;
    };

const scalarText = (value: unknown) =>
  typeof value === "number" || typeof value === "boolean" ? String(value) : value;

/**
 * The engine hands every value to the program as a text: numbers and booleans as they are written, lists and objects as JSON. Texts
 * in them may be numbers in the stack's file (`pulumi config set --path … 42`).
 */
export function decode(kind: Kind, text: string): Decoded {
  if (kind === "list" || kind === "object") return decodeStructured(kind, text);
  if (/^\s*[[{]/.test(text) && parsed(text) !== undefined)
    return { problem: `must be a ${kind}, not a list or an object` };
  if (kind === "number" && /^-?\d+(\.\d+)?$/.test(text)) return { value: Number(text) };
  if (kind === "boolean" && /^(true|false)$/.test(text)) return { value: text === "true" };
  return { value: text };
}

function decodeStructured(kind: "list" | "object", text: string): Decoded {
  const value = parsed(text);
  if (kind === "list" && Array.isArray(value)) return { value: value.map(scalarText) };
  if (kind === "object" && value !== undefined && !Array.isArray(value))
    return { value: Object.fromEntries(Object.entries(value).map(([key, one]) => [key, scalarText(one)])) };
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (kind === "list")
    return { problem: "must be a list, written element by element", ...(value ? {} : { instead: parts }) };
  const pairs = parts.map((part) => part.split(/=(.*)/s).slice(0, 2));
  const whole = !value && pairs.length > 0 && pairs.every(([name, one]) => name && one !== undefined);
  return {
    problem: "must be an object, written name by name",
    ...(whole ? { instead: Object.fromEntries(pairs) } : {}),
  };
}

/** A list or an object in JSON. */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
