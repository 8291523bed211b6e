import { Command } from "commander";
import { preview } from "../operations/preview.ts";
import { describeChanges } from "../stack/engine-events.ts";
import { changing } from "../stack/interrupt.ts";
import { readSecrets } from "../stack/secret-settings.ts";
import { jsonOption, setOption, stackOption } from "./options.ts";

interface Options {
  stack: string;
  set: Record<string, string>;
  json: boolean;
}

export const previewCommand = () =>
  new Command("preview")
    .description("Show what `up` would change, without changing anything.")
    .addOption(stackOption())
    .addOption(setOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Examples:
  npm run preview
  npm run preview -- --set rateLimit=200
  npm run preview -- --stack prod --json`,
    )
    .action(async ({ stack, set, json }: Options) => {
      const overrides = await readSecrets(set);
      const changes = await changing(stack, (signal) => preview({ stack, overrides, json }, signal));
      console.log(json ? JSON.stringify({ changes }) : describeChanges(changes, "Would change"));
    });
