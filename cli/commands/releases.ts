import { Command } from "commander";
import { machineRef } from "../machine/machine-ref.ts";
import { releasesOf, releasesText } from "../machine/releases.ts";
import { jsonOption, stackOption } from "./options.ts";

export const releasesCommand = () =>
  new Command("releases")
    .description("List the releases that `rollback` can return to, the newest first.")
    .addOption(stackOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A machine on this host keeps its last two releases. A stack in AWS keeps the releases that all of its machines have run: the five newest,
and those of the last 30 days.

Examples:
  mcp-edge releases
  mcp-edge releases --stack prod --json`,
    )
    .action(async ({ stack, json }: { stack: string; json: boolean }) => {
      const kept = await releasesOf(await machineRef(stack));
      if (json) console.log(JSON.stringify(kept, null, 2));
      else console.log(kept.length > 0 ? releasesText(kept) : "No release is kept yet.");
    });
