import * as z from "zod";

export type Target = "local" | "aws";

/** What computed defaults go by: the stack, and the settings that stand before them in the schema. */
export interface Given {
  stack: string;
  target: Target;
  domain: string;
  environment: "dev" | "staging" | "prod";
  architecture: "arm64" | "amd64";
  acme: string;
}

/**
 * The variable that a setting becomes in a file of the machine: its name, or a function where it is more than one or the value
 * needs a change. A list becomes its elements with blanks between them. Without a value there is no variable.
 */
// biome-ignore lint/suspicious/noExplicitAny: the value has the schema's type, which `.meta()` does not know
export type Variables = string | ((value: any) => Record<string, string | number>);

/** What a setting's `.meta()` says: all that its zod schema does not. */
export interface SettingMeta {
  /** One or two sentences, Markdown. */
  description: string;
  /** The default in words, where it is computed or there is none. */
  fallback?: string;
  /** A value to show in commands; default: the default value. */
  example?: unknown;
  /** Its value is never printed, and its commands have `--secret`. */
  secret?: true;
  /** Where it is in the server's environment (server.env). */
  server?: Variables;
  /** Where it is in the environment of the machine's scripts (edge.env). */
  edge?: Variables;
}

/** Schemas of the settings of one target by key. Computed defaults are filled in in this order. */
export type Shape = Record<string, z.ZodType>;

interface KnownMeta extends SettingMeta {
  compute?: (given: Given) => unknown;
}

/** @throws Error for a schema without `.meta()`: it would have no description */
export function metaOf(schema: z.ZodType): KnownMeta {
  const meta = schema.meta();
  if (!meta?.description) throw new Error("A setting's schema must end in .meta({ description, … })");
  return meta as unknown as KnownMeta;
}

/** A setting with the same default in every stack. */
export const setting = <S extends z.ZodType>(schema: S, fallback: z.output<S>, meta: SettingMeta) =>
  schema.default(fallback as never).meta({ ...meta }) as unknown as z.ZodDefault<S>;

/** A setting whose default depends on others. `meta.fallback` says it in words. */
export const computed = <S extends z.ZodType>(
  schema: S,
  compute: (given: Given) => z.output<S>,
  meta: SettingMeta & { fallback: string },
) =>
  schema.optional().meta({ ...meta, compute }) as unknown as z.ZodType<z.output<S>, z.input<S> | undefined>;

/** One of a few words. */
export const oneOf = <const V extends readonly [string, ...string[]]>(...values: V) =>
  z.enum(values, `must be one of ${values.join(", ")}`);

/** A text that matches. @param what completes "must be …" */
export const text = (pattern: RegExp, what: string) =>
  z.string(`must be ${what}`).regex(pattern, `must be ${what}`);

export type Kind = "string" | "number" | "boolean" | "list" | "object";

/** How a setting is written. */
export interface Form {
  kind: Kind;
  values?: readonly string[];
  min?: number;
  max?: number;
}

/** What a schema takes, as JSON Schema describes it. */
export function formOf(schema: z.ZodType): Form {
  const described = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const { type, enum: values, minimum: min, maximum: max } = described;
  const kinds: Record<string, Kind> = {
    integer: "number",
    number: "number",
    boolean: "boolean",
    array: "list",
    object: "object",
  };
  return {
    kind: kinds[String(type)] ?? "string",
    ...(values ? { values: values as string[] } : {}),
    ...(min === undefined ? {} : { min, max: max as number }),
  };
}

/** The default value; undefined: computed, or the setting must be set. */
export const defaultOf = (schema: z.ZodType): unknown => schema.safeParse(undefined).data;

/** Whether a stack must set it. */
export const isRequired = (schema: z.ZodType): boolean => !schema.safeParse(undefined).success;
