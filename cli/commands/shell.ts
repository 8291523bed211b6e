import { Command } from "commander";
import { machineRef } from "../machine/machine-ref.ts";
import { runOnMachine } from "../machine/shell.ts";
import { machineOption, stackOption } from "./options.ts";

export const shellCommand = () =>
  new Command("shell")
    .description("Open a root shell on the machine, or run one command there.")
    .argument("[command...]", "what to run (after --)")
    .addOption(stackOption())
    .addOption(machineOption())
    .addHelpText(
      "after",
      `
In AWS the connection goes through an EC2 Instance Connect endpoint; no port is open for it. It needs the AWS CLI and ssh.
The exit code is that of the command.

Examples:
  mcp-edge shell
  mcp-edge shell -- systemctl status nginx
  mcp-edge shell --stack prod --machine 2 -- mcp-edge-deploy status`,
    )
    .action(async (command: string[], { stack, machine }: { stack: string; machine?: string }) => {
      process.exitCode = await runOnMachine(await machineRef(stack, machine), command);
    });
