import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { answer, text, user } from "./content.ts";

const NOTHING = z.object({});
const codec = createRequestStateCodec<{ round: number }>({
  key: "of the conformance tests, 32 bytes or more",
});
/** Rejects a state that this server did not give. */
export const verifyState = codec.verify;

type Asked = ReturnType<typeof inputRequired.elicit>;
const field = (name: string, type = "string") =>
  ({ type: "object", properties: { [name]: { type } }, required: [name] }) as Parameters<
    typeof inputRequired.elicit
  >[0]["requestedSchema"];
const form = (message: string, requestedSchema: unknown): Asked =>
  inputRequired.elicit({ message, requestedSchema: requestedSchema as ReturnType<typeof field> });
const sampling = (words: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: text(words) }], maxTokens });
const titled = (...pairs: [string, string][]) => pairs.map(([value, title]) => ({ const: value, title }));

/** Tools that ask their caller, written once for both eras: an `input_required` result, or requests within a 2025 session. */
export function registerAsking(server: McpServer): void {
  askOnce(server, "test_elicitation", { message: z.string() }, ({ message }) =>
    form(message as string, {
      type: "object",
      properties: { username: { type: "string" }, email: { type: "string" } },
      required: ["username", "email"],
    }),
  );
  askOnce(server, "test_sampling", { prompt: z.string() }, ({ prompt }) => sampling(prompt as string, 100));
  // The SDK refuses the call of one who did not say that it can sample.
  askOnce(server, "test_missing_capability", {}, () => sampling("Anything", 10));
  askOnce(server, "test_streaming_elicitation", {}, () => form("Go on?", field("ok", "boolean")));
  askOnce(server, "test_elicitation_sep1034_defaults", {}, () =>
    form("Check the defaults", {
      type: "object",
      properties: {
        name: { type: "string", default: "John Doe" },
        age: { type: "integer", default: 30 },
        score: { type: "number", default: 95.5 },
        status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
        verified: { type: "boolean", default: true },
      },
      required: [],
    }),
  );
  askOnce(server, "test_elicitation_sep1330_enums", {}, () => {
    const options = ["option1", "option2", "option3"];
    const choices = titled(["value1", "First"], ["value2", "Second"], ["value3", "Third"]);
    return form("Choose", {
      type: "object",
      properties: {
        untitledSingle: { type: "string", enum: options },
        titledSingle: { type: "string", oneOf: choices },
        legacyEnum: { type: "string", enum: ["opt1", "opt2", "opt3"], enumNames: ["One", "Two", "Three"] },
        untitledMulti: { type: "array", items: { type: "string", enum: options } },
        titledMulti: { type: "array", items: { anyOf: choices } },
      },
      required: [],
    });
  });
  askOnce(
    server,
    "test_input_required_result_elicitation",
    {},
    () => form("What is your name?", field("name")),
    "user_name",
  );
  askOnce(
    server,
    "test_input_required_result_sampling",
    {},
    () => sampling("What is the capital of France?", 100),
    "capital_question",
  );
  askOnce(
    server,
    "test_input_required_result_list_roots",
    {},
    () => inputRequired.listRoots(),
    "client_roots",
  );
  rounds(server);
  capabilities(server);
  server.registerPrompt("test_input_required_result_prompt", { description: "Asks first" }, async (ctx) => {
    const got = acceptedContent<{ context: string }>(ctx.mcpReq.inputResponses, "user_context");
    if (!got)
      return inputRequired({ inputRequests: { user_context: form("Which context?", field("context")) } });
    return { messages: [user(text(`Context: ${got.context}`))] };
  });
}

/** One question; the answer is given back as text. */
function askOnce(
  server: McpServer,
  name: string,
  shape: z.ZodRawShape,
  ask: (args: Record<string, unknown>) => Asked,
  key = "asked",
): void {
  server.registerTool(
    name,
    { description: "Asks its caller", inputSchema: z.object(shape) },
    async (args, ctx) => {
      const got = inputResponse(ctx.mcpReq.inputResponses, key);
      if (got.kind === "missing") return inputRequired({ inputRequests: { [key]: ask(args) } });
      // Of an answer that is not of the shape that was asked for, the question is put again.
      if (key === "user_name" && got.kind === "elicit" && got.action === "accept" && !got.content?.name)
        return inputRequired({ inputRequests: { [key]: ask(args) } });
      if (got.kind === "elicit")
        return answer(`Elicitation completed: action=${got.action}, content=${JSON.stringify(got.content)}`);
      return answer(`LLM response: ${JSON.stringify(got)}`);
    },
  );
}

/** Tools whose rounds hang together by the state that the caller carries. */
function rounds(server: McpServer): void {
  const register = (
    name: string,
    run: (ctx: ServerContext) => Promise<ReturnType<typeof answer> | ReturnType<typeof inputRequired>>,
  ) =>
    server.registerTool(name, { description: "Asks in rounds", inputSchema: NOTHING }, async (_, ctx) =>
      run(ctx),
    );
  const responses = (ctx: ServerContext) => ctx.mcpReq.inputResponses;
  for (const name of [
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
  ])
    register(name, async (ctx) => {
      const state = ctx.mcpReq.requestState<{ round: number }>();
      if (state?.round === 1 && acceptedContent(responses(ctx), "confirm")) return answer("state-ok");
      return inputRequired({
        inputRequests: { confirm: form("Please confirm", field("ok", "boolean")) },
        requestState: await codec.mint({ round: 1 }),
      });
    });
  register("test_input_required_result_multiple_inputs", async (ctx) => {
    const keys = ["user_name", "greeting", "client_roots"];
    if (keys.every((key) => inputResponse(responses(ctx), key).kind !== "missing"))
      return answer("All there.");
    return inputRequired({
      inputRequests: {
        user_name: form("What is your name?", field("name")),
        greeting: sampling("Generate a greeting", 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await codec.mint({ round: 1 }),
    });
  });
  register("test_input_required_result_multi_round", async (ctx) => {
    const round = ctx.mcpReq.requestState<{ round: number }>()?.round ?? 0;
    if (round === 1 && acceptedContent(responses(ctx), "step1"))
      return inputRequired({
        inputRequests: { step2: form("Step 2: What is your favorite color?", field("color")) },
        requestState: await codec.mint({ round: 2 }),
      });
    if (round === 2 && acceptedContent(responses(ctx), "step2")) return answer("Done.");
    return inputRequired({
      inputRequests: { step1: form("Step 1: What is your name?", field("name")) },
      requestState: await codec.mint({ round: 1 }),
    });
  });
}

/** What a caller can do decides what is asked. */
function capabilities(server: McpServer): void {
  server.registerTool(
    "test_input_required_result_capabilities",
    { description: "Asks only for what the caller can do", inputSchema: NOTHING },
    async (_, ctx) => {
      const can = capabilitiesOf(ctx);
      const inputRequests: Record<string, Asked> = {};
      if (can.elicitation) inputRequests.user_name = form("What is your name?", field("name"));
      if (can.sampling) inputRequests.greeting = sampling("Generate a greeting", 50);
      if (can.roots) inputRequests.client_roots = inputRequired.listRoots();
      if (Object.keys(ctx.mcpReq.inputResponses ?? {}).length > 0 || Object.keys(inputRequests).length === 0)
        return answer("Nothing to ask.");
      return inputRequired({ inputRequests });
    },
  );
}

function capabilitiesOf(ctx: ServerContext): Record<string, unknown> {
  const envelope = ctx.mcpReq.envelope as Record<string, unknown> | undefined;
  return (envelope?.["io.modelcontextprotocol/clientCapabilities"] ?? {}) as Record<string, unknown>;
}
