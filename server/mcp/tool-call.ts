import type { FastifyBaseLogger } from "fastify";
import { ToolError } from "../tool-error.ts";
import { answerText } from "../tools/answers/text.ts";
import { InvalidOutput } from "../tools/checked-tool.ts";
import type { Tool, ToolContext } from "../tools/tool.ts";

/** A `CallToolResult` of the SDK. */
export interface ToolResult extends Record<string, unknown> {
  content: [{ type: "text"; text: string }];
  structuredContent?: Record<string, unknown>;
  isError?: true;
}

/**
 * Runs a tool and makes the result of `tools/call`, for both eras. What fails is a result too (`isError`), which a model can read.
 *
 * @param args as the tool's input schema returned them
 */
export async function callTool(
  tool: Tool,
  args: Record<string, unknown>,
  context: ToolContext,
  log: FastifyBaseLogger,
): Promise<ToolResult> {
  try {
    const structuredContent = await tool.run(args, context);
    return { content: [{ type: "text", text: answerText(tool, structuredContent) }], structuredContent };
  } catch (error) {
    return {
      content: [{ type: "text", text: errorText(error, tool.name, context.signal, log) }],
      isError: true,
    };
  }
}

function errorText(error: unknown, tool: string, signal: AbortSignal, log: FastifyBaseLogger): string {
  if (error instanceof ToolError) return error.message;
  if (signal.aborted) return "The call was cancelled.";
  log.error({ err: error, tool }, "tool failed");
  if (error instanceof InvalidOutput) return error.message;
  return "The tool failed inside the server; its log says why.";
}
