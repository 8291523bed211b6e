import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import type * as z from "zod";
import { describeArguments, type InputSchema, lenientArguments } from "./lenient-arguments.ts";
import type { Tool } from "./tool.ts";

/** Arguments or results by name. */
type Fields = Record<string, unknown>;
type WireSchema = StandardSchemaWithJSON<unknown, Fields>;

/** The schemas of a tool as the SDK and /api take them. */
export interface WireSchemas {
  readonly input: WireSchema;
  readonly output: WireSchema;
}

const made = new WeakMap<z.ZodObject, WireSchemas>();

/**
 * The tool's schemas with their JSON Schema converted once for the life of the process: an MCP server of the 2026 era lives for one
 * request, and the SDK converts both schemas of the tool in each `tools/call`, and those of every tool in each `tools/list`.
 *
 * The input takes what real clients send (see lenientArguments), and a refusal ends with what the tool takes.
 */
export function wireSchemas(tool: Pick<Tool, "name" | "input" | "output">): WireSchemas {
  const known = made.get(tool.input);
  if (known) return known;
  const input = withJsonSchema(tool.input);
  const json = input["~standard"].jsonSchema.input({ target: "draft-2020-12" }) as InputSchema;
  const help = `${tool.name} takes ${describeArguments(json)}`;
  const { validate } = input["~standard"];
  const wire: WireSchemas = {
    input: {
      "~standard": {
        ...input["~standard"],
        validate: async (given) => {
          const result = await validate(lenientArguments(given, json));
          return result.issues ? { issues: [...result.issues, { message: help }] } : result;
        },
      },
    },
    output: withJsonSchema(tool.output),
  };
  made.set(tool.input, wire);
  return wire;
}

function withJsonSchema(schema: z.ZodObject): WireSchema {
  const standard = schema["~standard"];
  const convert = (io: "input" | "output") => {
    let json: Fields | undefined;
    return (options: Parameters<typeof standard.jsonSchema.input>[0]) => {
      json ??= Object.freeze(standard.jsonSchema[io](options));
      return json;
    };
  };
  return {
    "~standard": { ...standard, jsonSchema: { input: convert("input"), output: convert("output") } },
  } as WireSchema;
}
