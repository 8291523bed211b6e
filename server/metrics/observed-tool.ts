import { ToolError } from "../tool-error.ts";
import type { Tool } from "../tools/tool.ts";
import type { Metrics } from "./metrics.ts";
import type { ToolOutcome } from "./totals.ts";

/** The same tool, but it counts its calls by outcome, over all endpoints. */
export function observedTool(tool: Tool, metrics: Pick<Metrics, "toolCall">): Tool {
  return {
    ...tool,
    run: async (args, context) => {
      const started = performance.now();
      const done = (outcome: ToolOutcome) =>
        metrics.toolCall(tool.name, outcome, (performance.now() - started) / 1_000);
      try {
        const result = await tool.run(args, context);
        done("ok");
        return result;
      } catch (error) {
        done(error instanceof ToolError ? "refused" : context.signal.aborted ? "cancelled" : "failed");
        throw error;
      }
    },
  };
}
