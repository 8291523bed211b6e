import type { Tool } from "../tools/tool.ts";
import { currentCaller } from "./caller.ts";
import type { Counted } from "./counted.ts";

/** The same tool, refusing a caller who has too many calls at work, whichever endpoint they came by. */
export function limitedTool(tool: Tool, calls: Counted): Tool {
  return {
    ...tool,
    run: async (args, context) => {
      const done = calls.open(currentCaller());
      try {
        return await tool.run(args, context);
      } finally {
        done();
      }
    },
  };
}
