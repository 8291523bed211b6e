import { Command } from "commander";
import { replace } from "../operations/replace.ts";
import { describeChanges } from "../stack/engine-events.ts";
import { changing } from "../stack/interrupt.ts";
import { jsonOption, stackOption } from "./options.ts";

interface Options {
  stack: string;
  json: boolean;
}

export const replaceCommand = () =>
  new Command("replace")
    .description("Replace machines by new ones from the newest image; addresses, tokens and data stay.")
    .argument("[machine]", "its number, from 1, or its instance id (default: every machine, one at a time)")
    .addOption(stackOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Each replacement is an \`up\` of this checkout: pending changes are deployed too (see \`preview\`).

Examples:
  npm run mcp-edge -- replace --stack prod      every machine of a stack in AWS
  npm run mcp-edge -- replace 2 --stack prod    its second machine`,
    )
    .action(async (machine: string | undefined, { stack, json }: Options) => {
      const which = machine === undefined ? {} : { machine };
      const changes = await changing(stack, (signal) => replace({ stack, json, ...which }, signal));
      if (json) console.log(JSON.stringify({ changes }));
      else for (const each of changes) console.log(describeChanges(each, "Changed"));
    });
