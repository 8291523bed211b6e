import { Command } from "commander";
import { machineRef } from "../machine/machine-ref.ts";
import type { KeptRelease } from "../machine/releases.ts";
import { confirm } from "../machine/terminal.ts";
import { rollback } from "../operations/rollback.ts";
import { jsonOption, stackOption } from "./options.ts";

interface Options {
  stack: string;
  json: boolean;
  yes: boolean;
}

export const rollbackCommand = () =>
  new Command("rollback")
    .description("Return to a release that ran before, without a build.")
    .argument(
      "[release]",
      "its hash, or the beginning of it as `releases` prints it (default: the previous one)",
    )
    .addOption(stackOption())
    .option("-y, --yes", "do not ask", false)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The release takes over as in a deployment: no request is lost, and where it does not become ready, the present one goes on. In AWS the
machine's files of that time come back with it, on all machines of the stack. The next \`up\` with a change deploys the checkout again.

Examples:
  mcp-edge rollback
  mcp-edge rollback 3f0c2d --stack prod`,
    )
    .action(async (release: string | undefined, { stack, json, yes }: Options) => {
      const asked = ({ release: hash, at }: KeptRelease) =>
        yes
          ? Promise.resolve(true)
          : confirm(
              `Return ${stack} to release ${hash.slice(0, 12)} of ${at}?`,
              `npm run mcp-edge -- rollback ${hash.slice(0, 12)} --stack ${stack} --yes`,
            );
      const ref = await machineRef(stack);
      const target = await rollback(ref, { release, confirm: asked, log: (line) => console.error(line) });
      if (json) console.log(JSON.stringify(target ?? null));
      else
        console.log(
          target ? `${stack} runs release ${target.release.slice(0, 12)}.` : "Nothing was changed.",
        );
    });
