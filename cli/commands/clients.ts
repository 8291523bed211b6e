import { Command } from "commander";
import { type MachineOptions, withMachineOptions } from "./options.ts";
import { printServerCommand } from "./print-server-command.ts";

/** `clients …`: the OAuth clients that are registered at a machine. */
export function clientsCommand(): Command {
  const command = new Command("clients")
    .description(
      "List and remove the OAuth clients that are registered at a machine (setting `auth: oauth`).",
    )
    .addHelpText(
      "after",
      `
Most clients register by themselves when somebody connects them. An unused registration ends after a day, a used one 180 days
after its last use. Clients that have a metadata document (Claude.ai, ChatGPT) are not registered. To end the access of one
of those, give its URL to \`remove\`. People end their own connections at https://HOST/account.

Examples:
  mcp-edge clients list
  mcp-edge clients remove client_CFkCTqW5pMgxzO1vFg-vGQ
  mcp-edge clients remove https://claude.ai/oauth/mcp-oauth-client-metadata --stack prod`,
    );
  withMachineOptions(
    command
      .command("list")
      .description("List the clients, who registered them, and where they receive codes."),
  ).action((options: MachineOptions) => printServerCommand(["clients", "list"], options));
  withMachineOptions(
    command
      .command("remove")
      .description("Remove a client, and end its access for everybody within two seconds.")
      .argument("<id>", "as `clients list` shows it, or the URL of its metadata document"),
  ).action((id: string, options: MachineOptions) => printServerCommand(["clients", "remove"], options, [id]));
  return command;
}
