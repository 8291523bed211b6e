import { Command } from "commander";
import { machineRef } from "../machine/machine-ref.ts";
import { serverCommand } from "../machine/server-command.ts";
import { jsonOption, machineOption, stackOption } from "./options.ts";

interface Options {
  stack: string;
  machine?: string;
  json: boolean;
  name?: string;
  groups?: string;
  scopes?: string;
}

/** `user …`: what the server's own command of this name prints on the machine. It checks the arguments too. */
export function userCommand(): Command {
  const command = new Command("user").description("Add, list, remove and reset the people who may sign in.");
  const subcommand = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .addOption(stackOption())
      .addOption(machineOption())
      .addOption(jsonOption());
  const run = async (args: string[], { stack, machine, json, ...options }: Options) => {
    // After "--": a login is never an option.
    const [name = "", ...rest] = args;
    const flags = (["name", "groups", "scopes"] as const).flatMap((flag) =>
      options[flag] === undefined ? [] : [`--${flag}=${options[flag]}`],
    );
    const all = [
      "user",
      name,
      ...flags,
      ...(json ? ["--json"] : []),
      ...(rest.length ? ["--", ...rest] : []),
    ];
    process.stdout.write(await serverCommand(await machineRef(stack, machine), all));
  };

  subcommand("add", "Add a person, and print a one-time link with which they choose how to sign in.")
    .argument("<login>", "what they type to sign in")
    .option("-n, --name <name>", "for others to read (default: the login)")
    .option("--groups <list>", "comma-separated")
    .option(
      "--scopes <list>",
      "the most that a client may do for them: code:read and ops (default: code:read)",
    )
    .action((login: string, options: Options) => run(["add", login], options));
  subcommand("list", "List the people.").action((options: Options) => run(["list"], options));
  subcommand("remove", "Remove a person. All of their clients are cut off within two seconds.")
    .argument("<login>")
    .action((login: string, options: Options) => run(["remove", login], options));
  subcommand("reset", "For a lost device: end all sessions and connections, and print a new link.")
    .argument("<login>")
    .action((login: string, options: Options) => run(["reset", login], options));
  return command;
}
