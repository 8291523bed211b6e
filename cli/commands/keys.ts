import { Command } from "commander";
import { type MachineOptions, withMachineOptions } from "./options.ts";
import { printServerCommand } from "./print-server-command.ts";

/** `keys …`: the keys with which a machine signs access tokens. */
export function keysCommand(): Command {
  const command = new Command("keys")
    .description("List and rotate the keys that sign access tokens (setting `auth: oauth`).")
    .addHelpText(
      "after",
      `
Keys are made by the server on its data volume. Machines that share a Valkey share them. A rotation takes effect on all of
them within a second, without a restart.

  keys rotate         routine: nobody has to sign in again. Tokens of the old key are accepted until they end, two hours at most.
  keys rotate --now   a key may be known to others: its tokens are refused at once. Clients get new ones by themselves;
                      browsers have to sign in again.

Examples:
  mcp-edge keys list
  mcp-edge keys rotate --now --stack prod`,
    );
  withMachineOptions(
    command.command("list").description("List the keys, the newest first: it signs."),
  ).action((options: MachineOptions) => printServerCommand(["keys", "list"], options));
  withMachineOptions(
    command
      .command("rotate")
      .description("Make a new key. The old ones are accepted until what they signed has ended.")
      .option("--now", "refuse what the old keys signed, at once"),
  ).action((options: MachineOptions & { now?: true }) => printServerCommand(["keys", "rotate"], options));
  return command;
}
