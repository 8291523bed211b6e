import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import type * as z from "zod";
import { then } from "../../maybe-promise.ts";
import type { Tool } from "../tool.ts";
import type { InputSchema } from "./input-schema.ts";
import { lenientArguments } from "./lenient.ts";
import { refusalHelp } from "./refusal.ts";

/** Arguments or results by name. */
type Fields = Record<string, unknown>;
type WireSchema = StandardSchemaWithJSON<unknown, Fields>;

/** The schemas of a tool in the form that the SDK and /api expect. */
export interface WireSchemas {
  readonly input: WireSchema;
  readonly output: WireSchema;
}

const DIALECT = { target: "draft-2020-12" } as const;
const made = new WeakMap<z.ZodObject, WireSchemas>();

/**
 * The tool's schemas, converted to JSON Schema once per process. An MCP server of the 2026 era lives for one request, and the SDK
 * converts both schemas of the tool in each `tools/call`, and those of all tools in each `tools/list`.
 *
 * The input accepts what real clients send (see lenientArguments). A refusal ends with the arguments of the tool and a call
 * that is accepted.
 */
export function wireSchemas(tool: Pick<Tool, "name" | "input" | "output">): WireSchemas {
  const known = made.get(tool.input);
  if (known) return known;
  const input = withJsonSchema(tool.input);
  const json = input["~standard"].jsonSchema.input(DIALECT) as InputSchema;
  const { validate } = input["~standard"];
  const wire: WireSchemas = {
    input: {
      "~standard": {
        ...input["~standard"],
        validate: (given) => {
          const meant = lenientArguments(given, json);
          return then(validate(meant), (result) => {
            if (!result.issues) return result;
            const wrong = new Set(result.issues.map(({ path }) => String(path?.[0])));
            return { issues: [...result.issues, { message: refusalHelp(tool.name, json, meant, wrong) }] };
          });
        },
      },
    },
    output: withJsonSchema(tool.output, typesAlone),
  };
  made.set(tool.input, wire);
  return wire;
}

/** The schemas as JSON Schema 2020-12, the output with its descriptions: what people read. */
export function jsonSchemas(tool: Pick<Tool, "name" | "input" | "output">): {
  input: Fields;
  output: Fields;
} {
  return {
    input: wireSchemas(tool).input["~standard"].jsonSchema.input(DIALECT),
    output: described(tool.output),
  };
}

const outputs = new WeakMap<z.ZodObject, Fields>();

function described(schema: z.ZodObject): Fields {
  const known = outputs.get(schema) ?? withJsonSchema(schema)["~standard"].jsonSchema.output(DIALECT);
  outputs.set(schema, known);
  return known;
}

function withJsonSchema(schema: z.ZodObject, publish = (json: Fields) => json): WireSchema {
  const standard = schema["~standard"];
  const convert = (io: "input" | "output") => {
    let json: Fields | undefined;
    return (options: Parameters<typeof standard.jsonSchema.input>[0]) => {
      json ??= Object.freeze(publish(compact(standard.jsonSchema[io](options))));
      return json;
    };
  };
  return {
    "~standard": { ...standard, jsonSchema: { input: convert("input"), output: convert("output") } },
  } as WireSchema;
}

/** Without what every integer of zod has, and what is the default dialect: a model reads each of these words in each list of tools. */
function compact(json: Fields): Fields {
  const { $schema: _, ...schema } = json;
  return withoutSafeIntegerBounds(schema) as Fields;
}

function withoutSafeIntegerBounds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSafeIntegerBounds);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key, bound]) => !(/^(minimum|maximum)$/.test(key) && Math.abs(bound) === Number.MAX_SAFE_INTEGER),
  );
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutSafeIntegerBounds(inner)]));
}

/**
 * An output schema as `tools/list` has it: types alone. A model pays for each word of each list, and reads the text of an answer, which
 * describes itself. /api has the descriptions, and the server still checks what is required.
 */
function typesAlone(schema: Fields): Fields {
  const {
    description: _,
    required: __,
    enum: ___,
    additionalProperties: extra,
    properties,
    items,
    anyOf,
    ...rest
  } = schema;
  const inner = (value: unknown) => typesAlone(value as Fields);
  return {
    ...rest,
    // The values of a record; `false` is only a restriction.
    ...(typeof extra === "object" ? { additionalProperties: inner(extra) } : {}),
    ...(properties
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, value]) => [name, inner(value)]),
          ),
        }
      : {}),
    ...(items ? { items: inner(items) } : {}),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map(inner) } : {}),
  };
}
