import { Command } from "commander";
import { down } from "../operations/down.ts";
import { changing } from "../stack/interrupt.ts";
import { jsonOption, stackOption } from "./options.ts";

export const downCommand = () =>
  new Command("down")
    .description(
      "Remove the machine and everything it has on this host, its certificates, tokens and workspace too.",
    )
    .addOption(stackOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The cache (root filesystem, engine, releases) stays in .mcp-edge/cache. Delete it by hand.

Examples:
  npm run down
  npm run down -- --stack second`,
    )
    .action(async ({ stack, json }: { stack: string; json: boolean }) => {
      const result = await changing(stack, (signal) => down({ stack, json }, signal));
      if (json) console.log(JSON.stringify(result));
      else console.log(result.removed ? `Stack ${stack} is removed.` : `There is no stack ${stack} here.`);
    });
