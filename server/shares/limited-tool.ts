import type { Tool } from "../tools/tool.ts";
import type { Counted } from "./counted.ts";

/** The same tool, but it refuses a caller with too many calls in progress, over all endpoints. */
export function limitedTool(tool: Tool, calls: Counted): Tool {
  return {
    ...tool,
    run: (args, context) => calls.run(() => tool.run(args, context)),
  };
}
