import { Command } from "commander";
import { type MachineOptions, withMachineOptions } from "./options.ts";
import { printServerCommand } from "./print-server-command.ts";

interface Options extends MachineOptions {
  since?: string;
  person?: string;
  tool?: string;
}

export function auditCommand(): Command {
  const command = new Command("audit").description("Read the audit log of a machine, and check it.");
  withMachineOptions(
    command
      .command("list")
      .description("List sign-ins, consents, tokens and tool calls, the oldest first.")
      .option("--since <time>", "from then on: 30m, 12h, 7d, or a date")
      .option("--person <who>", "id or name of a person or token")
      .option("--tool <name>", "calls of this tool only"),
  ).action((options: Options) => printServerCommand(["audit", "list"], options));
  withMachineOptions(
    command
      .command("verify")
      .description("Check that no line was changed, removed or moved. Fails with the first one."),
  ).action((options: Options) => printServerCommand(["audit", "verify"], options));
  return command;
}
