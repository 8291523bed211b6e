import swagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import { VERSION } from "../version.ts";
import type { ToolDescription } from "./json-schema.ts";

const ERROR = {
  $id: "Error",
  type: "object",
  properties: {
    error: { type: "string", description: "What is wrong and how to fix it." },
    request_id: { type: "string", description: "Finds the request in the server's log." },
    retry_after: { type: "integer", description: "Seconds to wait before a retry, if a retry may help." },
    problems: {
      type: "array",
      items: { type: "object", properties: { path: { type: "string" }, message: { type: "string" } } },
    },
  },
  required: ["error", "request_id"],
} as const;

const answer = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "Error#" } } },
});

const FAILURES = {
  400: answer("The arguments do not match the schema."),
  401: answer("The token is missing, unknown or expired."),
  403: answer("The token lacks the scope."),
  422: answer("The tool failed. The message says why."),
  429: answer("Too many requests, or the daily quota is used up. See Retry-After."),
  503: answer("Temporarily unavailable. See Retry-After."),
};

/** Collects the routes that are registered later in this scope. `app.swagger()` returns the OpenAPI 3.1 document. */
export async function registerOpenApi(app: FastifyInstance, needsToken: boolean): Promise<void> {
  app.addSchema(ERROR);
  await app.register(swagger, {
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "mcp-edge tools",
        description: "The tools of the MCP server over plain HTTP: arguments in, JSON out.",
        version: VERSION,
      },
      // Relative to the document, so that it is valid under any host name.
      servers: [{ url: "/" }],
      ...(needsToken
        ? {
            components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
            security: [{ token: [] }],
          }
        : {}),
    },
  });
}

/** The OpenAPI description of a tool's route. */
export function toolRouteSchema(tool: ToolDescription): FastifySchema {
  return {
    operationId: tool.name,
    summary: tool.title,
    description: `${tool.description} Needs the scope ${tool.scope}.`,
    body: tool.inputSchema,
    response: { 200: { description: "The tool's answer.", ...tool.outputSchema }, ...FAILURES },
  };
}

/** The OpenAPI description of the list of tools. */
export const LIST_SCHEMA: FastifySchema = {
  operationId: "listTools",
  summary: "List tools",
  description: "The tools that the caller may use now, with their schemas.",
  response: {
    200: {
      description: "The tools.",
      type: "object",
      properties: {
        tools: {
          type: "array",
          items: {
            type: "object",
            properties: {
              name: { type: "string" },
              title: { type: "string" },
              description: { type: "string" },
              scope: { type: "string" },
              inputSchema: { type: "object" },
              outputSchema: { type: "object" },
            },
          },
        },
      },
    },
    401: FAILURES[401],
    429: FAILURES[429],
  },
};

declare module "fastify" {
  interface FastifySchema {
    operationId?: string;
    summary?: string;
    description?: string;
    hide?: boolean;
  }
}
