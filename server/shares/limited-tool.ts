import type { Tool } from "../tools/tool.ts";
import type { Counted } from "./counted.ts";

/** The same tool, refusing a caller who has too many calls at work, whichever endpoint they came by. */
export function limitedTool(tool: Tool, calls: Counted): Tool {
  return {
    ...tool,
    run: (args, context) => calls.run(() => tool.run(args, context)),
  };
}
