import { type McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Profile } from "../../../server/mcp/server-parts.ts";
import { registerAsking, verifyState } from "./asking.ts";
import { PNG, text, user } from "./content.ts";
import { registerTools } from "./tools.ts";

/** What the public conformance suite expects a server to have; no release contains it. */
export const conformanceProfile: Profile = {
  options: { requestState: { verify: verifyState } },
  watches: (uri) => uri === "test://watched-resource",
  register: (server, publish) => {
    registerTools(server, publish);
    registerAsking(server);
    registerResources(server);
    registerPrompts(server);
  },
};

function registerResources(server: McpServer): void {
  const plain = (name: string, uri: string, mimeType: string, content: { text: string } | { blob: string }) =>
    server.registerResource(name, uri, { title: name, description: name, mimeType }, async () => ({
      contents: [{ uri, mimeType, ...content }],
    }));
  plain("static-text", "test://static-text", "text/plain", {
    text: "This is the content of the static text resource.",
  });
  plain("static-binary", "test://static-binary", "image/png", { blob: PNG });
  plain("watched", "test://watched-resource", "text/plain", { text: "Watched resource content" });
  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  server.registerResource("template", template, { mimeType: "application/json" }, async (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType: "application/json",
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      },
    ],
  }));
}

function registerPrompts(server: McpServer): void {
  server.registerPrompt("test_simple_prompt", { description: "One message" }, async () => ({
    messages: [user(text("This is a simple prompt for testing."))],
  }));
  const two = z.object({ arg1: z.string().describe("First"), arg2: z.string().describe("Second") });
  server.registerPrompt(
    "test_prompt_with_arguments",
    { description: "Two arguments", argsSchema: two },
    async ({ arg1, arg2 }) => ({
      messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
    }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "A resource within", argsSchema: z.object({ resourceUri: z.string() }) },
    async ({ resourceUri }) => ({
      messages: [
        user({
          type: "resource",
          resource: {
            uri: resourceUri,
            mimeType: "text/plain",
            text: "Embedded resource content for testing.",
          },
        }),
        user(text("Please process the embedded resource above.")),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "A picture within" }, async () => ({
    messages: [
      user({ type: "image", data: PNG, mimeType: "image/png" }),
      user(text("Please analyze the image above.")),
    ],
  }));
}
