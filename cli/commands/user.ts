import { Command } from "commander";
import { type MachineOptions, withMachineOptions } from "./options.ts";
import { printServerCommand } from "./print-server-command.ts";

interface Options extends MachineOptions {
  name?: string;
  groups?: string;
  scopes?: string;
}

/** `user …`: what the server's own command of this name prints on the machine. */
export function userCommand(): Command {
  const command = new Command("user")
    .description("Add, list, remove and reset the people who may sign in (setting `auth: oauth`).")
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge user add ada --name "Ada Lovelace"
  mcp-edge user add grace --scopes code:read,ops --stack prod
  mcp-edge user reset ada`,
    );
  const subcommand = (name: string, description: string) =>
    withMachineOptions(command.command(name).description(description));

  subcommand("add", "Add a person, and print a one-time link with which they choose how to sign in.")
    .argument("<login>", "what they type to sign in")
    .option("-n, --name <name>", "for others to read (default: the login)")
    .option("--groups <list>", "comma-separated")
    .option(
      "--scopes <list>",
      "the most that a client may do for them: code:read and ops (default: code:read)",
    )
    .action((login: string, options: Options) => printServerCommand(["user", "add"], options, [login]));
  subcommand("list", "List the people.").action((options: Options) =>
    printServerCommand(["user", "list"], options),
  );
  subcommand("remove", "Remove a person. All of their clients are cut off within two seconds.")
    .argument("<login>", "as `user list` shows it")
    .action((login: string, options: Options) => printServerCommand(["user", "remove"], options, [login]));
  subcommand("reset", "For a lost device: end all sessions and connections, and print a new link.")
    .argument("<login>", "as `user list` shows it")
    .action((login: string, options: Options) => printServerCommand(["user", "reset"], options, [login]));
  return command;
}
