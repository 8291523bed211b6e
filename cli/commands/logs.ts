import { Command } from "commander";
import { BUNDLED_SERVER, slotUnits } from "../../cloud-init/app.ts";
import { machineRef } from "../machine/machine-ref.ts";
import { runOnMachine } from "../machine/shell.ts";
import { machineOption, stackOption } from "./options.ts";

export const logsCommand = () =>
  new Command("logs")
    .description("Show the machine's journal: the server, NGINX, certificates, bans.")
    .option("-f, --follow", "wait for new lines and print them", false)
    .option("-n, --lines <count>", "number of lines", "100")
    .option("-u, --unit <unit>", "a unit; may be repeated (default: the server's)", together)
    .addOption(stackOption())
    .addOption(machineOption())
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge logs -f
  mcp-edge logs -u 'nginx*' -n 20
  mcp-edge logs --stack prod --machine 2`,
    )
    .action(async ({ stack, machine, follow, lines, unit }: Options) => {
      const command = journalctl({ follow, lines, units: unit });
      process.exitCode = await runOnMachine(await machineRef(stack, machine), command);
    });

interface Options {
  stack: string;
  machine?: string;
  follow: boolean;
  lines: string;
  unit?: string[];
}

/** An option that may be given more than once. */
const together = (value: string, before: string[] = []) => [...before, value];

/** @param args.units patterns of units' names; none: the server's */
export const journalctl = (args: {
  follow: boolean;
  lines: string;
  units?: string[] | undefined;
}): string[] => [
  ...["journalctl", "--no-pager", "-n", args.lines],
  ...(args.units ?? [slotUnits(BUNDLED_SERVER)]).flatMap((unit) => ["-u", unit]),
  ...(args.follow ? ["-f"] : []),
];
