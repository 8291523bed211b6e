import type { StandardSchemaV1 } from "@modelcontextprotocol/server";
import { then } from "../maybe-promise.ts";
import { wireSchemas } from "./arguments/wire-schema.ts";
import type { Tool } from "./tool.ts";

/** A result that does not fit the tool's output schema. It is the tool's fault, so its caller cannot fix it. */
export class InvalidOutput extends Error {
  /** The message is the SDK's, so clients see no difference. */
  constructor(tool: string, issues: readonly StandardSchemaV1.Issue[]) {
    super(
      `Output validation error: Invalid structured content for tool ${tool}: ${issues.map(problem).join(", ")}`,
    );
    this.name = "InvalidOutput";
  }
}

/**
 * The same tool, but a result that does not fit its output schema is a failure. Metrics, audit log and traces wrap this one, so they record it
 * as a failure too.
 */
export function checkedTool(tool: Tool): Tool {
  const { validate } = wireSchemas(tool).output["~standard"];
  return {
    ...tool,
    run: async (args, context) => {
      const result = await tool.run(args, context);
      const checked = then(validate(result), ({ issues }) => issues);
      const issues = checked instanceof Promise ? await checked : checked;
      if (issues) throw new InvalidOutput(tool.name, issues);
      return result;
    },
  };
}

function problem({ path, message }: StandardSchemaV1.Issue): string {
  if (!path?.length) return message;
  return `${path.map((part) => String(typeof part === "object" ? part.key : part)).join(".")}: ${message}`;
}
