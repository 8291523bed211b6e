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

/** Arguments by name. */
export type Arguments = Record<string, unknown>;

export const isObject = (value: unknown): value is Arguments =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether an argument has a value. Clients send `null` and `""` for absent ones. */
export const isGiven = (value: unknown) => value !== undefined && value !== null && value !== "";

/** PHP writes an empty object as `[]`. */
export const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;

/** Parses a string with a JSON array or object; undefined for any other. */
export function jsonIn(text: string, opening: "[" | "{"): unknown {
  if (!text.trimStart().startsWith(opening)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
