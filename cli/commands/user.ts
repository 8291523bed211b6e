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
  const run = async (args: string[], options: Options) => {
    const ref = await machineRef(options.stack, options.machine);
    console.log((await serverCommand(ref, serverArguments(args, options))).trimEnd());
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

/** The arguments of the server's own command line. */
export function serverArguments([name = "", ...logins]: string[], options: Options): string[] {
  const flags = (["name", "groups", "scopes"] as const).flatMap((flag) =>
    options[flag] === undefined ? [] : [`--${flag}=${options[flag]}`],
  );
  // After "--": a login is never an option.
  const rest = logins.length > 0 ? ["--", ...logins] : [];
  return ["user", name, ...flags, ...(options.json ? ["--json"] : []), ...rest];
}
