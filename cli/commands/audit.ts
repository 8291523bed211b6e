import { Command } from "commander";
import { verifyWithAnchor } from "../operations/audit-anchor.ts";
import { type MachineOptions, withMachineOptions } from "./options.ts";
import { printServerCommand } from "./print-server-command.ts";

interface Options extends MachineOptions {
  since?: string;
  person?: string;
  tool?: string;
}

export function auditCommand(): Command {
  const command = new Command("audit")
    .description("Read the audit log of a machine, and check it.")
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge audit list --since 7d
  mcp-edge audit list --person ada --tool read_file --stack prod --json
  mcp-edge audit verify`,
    );
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
      .description("Check that no line was changed, removed or moved. Fails with the first one.")
      .option("--anchor <file>", "also check against this file of an earlier check, then bring it up to date")
      .addHelpText(
        "after",
        `
An intruder with the server's account can write a whole new log. An anchor on another computer shows that: it holds the number of
lines of each file and the hash of the last one. Run this there every day, and more often where the log is large:

  mcp-edge audit verify --anchor mcp-edge.anchor --stack prod

The first run makes the file.`,
      ),
  ).action((options: Options & { anchor?: string }) =>
    options.anchor === undefined
      ? printServerCommand(["audit", "verify"], options)
      : verifyWithAnchor(options.anchor, options).then((text) => console.log(text)),
  );
  return command;
}
