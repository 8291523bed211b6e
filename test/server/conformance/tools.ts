import { fromJsonSchema, type McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Publish } from "../../../server/mcp/server-parts.ts";
import { answer, PNG, sleep, text, WAV } from "./content.ts";

const NOTHING = z.object({});
const REGION = fromJsonSchema({
  type: "object",
  properties: { region: { type: "string", "x-mcp-header": "Region" } },
} as Parameters<typeof fromJsonSchema>[0]);
const RICH = fromJsonSchema({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
} as Parameters<typeof fromJsonSchema>[0]);

/** The tools of the public conformance suite that answer at once, or tell how far they are. */
export function registerTools(server: McpServer, publish: Publish): void {
  const plain = (name: string, description: string, content: object[]) =>
    server.registerTool(name, { description, inputSchema: NOTHING }, async () => ({
      content: content as ReturnType<typeof text>[],
    }));
  const image = { type: "image", data: PNG, mimeType: "image/png" };
  const embedded = (uri: string, mimeType: string, words: string) => ({
    type: "resource",
    resource: { uri, mimeType, text: words },
  });
  plain("test_simple_text", "Answers a text", [text("This is a simple text response for testing.")]);
  plain("test_image_content", "Answers a picture", [image]);
  plain("test_audio_content", "Answers a sound", [{ type: "audio", data: WAV, mimeType: "audio/wav" }]);
  plain("test_embedded_resource", "Answers a resource", [
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ]);
  plain("test_multiple_content_types", "Answers three kinds", [
    text("Multiple content types test:"),
    image,
    embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ]);
  server.registerTool("test_error_handling", { description: "Fails", inputSchema: NOTHING }, async () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
  for (const name of ["test_tool_with_logging", "test_logging_tool"])
    server.registerTool(name, { description: "Logs three times", inputSchema: NOTHING }, async (_, ctx) => {
      for (const words of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
        await ctx.mcpReq.log("info", words);
        await sleep(50);
      }
      return answer("Logged.");
    });
  server.registerTool(
    "test_tool_with_progress",
    { description: "Tells how far it is", inputSchema: NOTHING },
    async (_, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined)
          await ctx.mcpReq.notify({
            method: "notifications/progress",
            params: { progressToken, progress, total: 100 },
          });
        await sleep(50);
      }
      return answer(String(progressToken));
    },
  );
  server.registerTool(
    "test_reconnection",
    { description: "Sends its caller away and goes on", inputSchema: NOTHING },
    async (_, ctx) => {
      ctx.http?.closeSSE?.();
      await sleep(100);
      return answer("Reconnection test completed.");
    },
  );
  server.registerTool(
    "json_schema_2020_12_tool",
    { description: "Takes a rich schema", inputSchema: RICH },
    async () => answer("Taken."),
  );
  server.registerTool(
    "test_x_mcp_header",
    { description: "Has an argument that a header mirrors", inputSchema: REGION },
    async (args) => answer(JSON.stringify(args)),
  );
  server.registerTool(
    "test_trigger_tool_change",
    { description: "As if tools changed", inputSchema: NOTHING },
    async () => {
      publish({ kind: "tools_list_changed" });
      return answer("Published.");
    },
  );
  server.registerTool(
    "test_trigger_prompt_change",
    { description: "As if prompts changed", inputSchema: NOTHING },
    async () => {
      publish({ kind: "prompts_list_changed" });
      return answer("Published.");
    },
  );
}
