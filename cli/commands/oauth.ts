import { Command } from "commander";
import { machineRef } from "../machine/machine-ref.ts";
import { readTrace, renderTrace } from "../operations/oauth-trace.ts";
import { type MachineOptions, withMachineOptions } from "./options.ts";

/** `oauth …`: the authorization server of a machine. */
export function oauthCommand(): Command {
  const command = new Command("oauth").description("See how clients sign in at a machine.").addHelpText(
    "after",
    `
Examples:
  mcp-edge oauth trace
  mcp-edge oauth trace --stack prod --json`,
  );
  withMachineOptions(
    command
      .command("trace")
      .description(
        "Show the server's side of the last attempts to sign in, step by step and without secrets, since its last start.",
      ),
  ).action(async ({ stack, machine, json }: MachineOptions) => {
    const events = await readTrace(await machineRef(stack, machine));
    process.stdout.write(`${json ? JSON.stringify(events, null, 2) : renderTrace(events)}\n`);
  });
  return command;
}
