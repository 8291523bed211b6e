import { ToolError } from "../tool-error.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** How a call ended. `refused`: the caller can fix it. */
export type ToolOutcome = "ok" | "refused" | "cancelled" | "failed";

/**
 * Observes the calls of all tools, by whichever endpoint they come.
 *
 * @returns receives the end of the call, and its answer if it has one; must not throw
 * @throws to refuse the call
 */
export type CallObserver = (
  tool: Tool,
  args: Record<string, unknown>,
) => (outcome: ToolOutcome, answer?: object) => void;

/** The same tool, with observers, the first one outermost. One function for all of them: a promise for each costs more than what they do. */
export function observedTool(tool: Tool, observers: readonly CallObserver[]): Tool {
  return {
    ...tool,
    run: async (args, context) => {
      const ends: ReturnType<CallObserver>[] = [];
      let answer: Awaited<ReturnType<Tool["run"]>>;
      try {
        for (const observe of observers) ends.push(observe(tool, args));
        answer = await tool.run(args, context);
      } catch (error) {
        const outcome = outcomeOf(error, context);
        for (let n = ends.length - 1; n >= 0; n--) ends[n]?.(outcome);
        throw error;
      }
      for (let n = ends.length - 1; n >= 0; n--) ends[n]?.("ok", answer);
      return answer;
    },
  };
}

function outcomeOf(error: unknown, { signal }: ToolContext): ToolOutcome {
  return error instanceof ToolError ? "refused" : signal.aborted ? "cancelled" : "failed";
}
