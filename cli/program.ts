import { Command, Help, type Option } from "commander";
import { auditCommand } from "./commands/audit.ts";
import { bansCommand } from "./commands/bans.ts";
import { clientsCommand } from "./commands/clients.ts";
import { connectCommand } from "./commands/connect.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { grantCommand } from "./commands/grant.ts";
import { indexCommand } from "./commands/index-upload.ts";
import { keysCommand } from "./commands/keys.ts";
import { logsCommand } from "./commands/logs.ts";
import { oauthCommand } from "./commands/oauth.ts";
import { previewCommand } from "./commands/preview.ts";
import { releaseCommand } from "./commands/release.ts";
import { releasesCommand } from "./commands/releases.ts";
import { replaceCommand } from "./commands/replace.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { shellCommand } from "./commands/shell.ts";
import { statusCommand } from "./commands/status.ts";
import { tokenCommand } from "./commands/token.ts";
import { upCommand } from "./commands/up.ts";
import { userCommand } from "./commands/user.ts";
import { VERSION } from "./version.ts";

/** The commands by what they are for, as `mcp-edge --help` lists them. */
const groups = (): Record<string, Command[]> => ({
  "Create and change the machine:": [
    upCommand(),
    previewCommand(),
    downCommand(),
    replaceCommand(),
    releaseCommand(),
    releasesCommand(),
    rollbackCommand(),
  ],
  "Check and repair it:": [doctorCommand(), statusCommand(), logsCommand(), bansCommand(), shellCommand()],
  "Decide who may call:": [
    userCommand(),
    tokenCommand(),
    grantCommand(),
    clientsCommand(),
    keysCommand(),
    auditCommand(),
    oauthCommand(),
  ],
  "Use the server:": [connectCommand(), indexCommand()],
});

const help = new Help();

/** A flag that is not given is off. Its help need not say so. */
function optionDescription(option: Option): string {
  const isOff = ["false", "{}"].includes(JSON.stringify(option.defaultValue));
  return help.optionDescription(
    isOff ? Object.create(option, { defaultValue: { value: undefined } }) : option,
  );
}

/** Configures the commands below `parent` as `parent` is. */
function configureBelow(parent: Command): void {
  // The options are those of the subcommands. Where no subcommand is given, that is the fault, and not that the option is unknown.
  if (parent.commands.length > 0) parent.allowUnknownOption();
  // Commander passes settings on only to commands that it makes itself.
  for (const command of parent.commands) configureBelow(command.copyInheritedSettings(parent));
}

/**
 * The command line: what `mcp-edge --help` lists.
 *
 * Parsing throws CommanderError where Commander would end the process: after the help, the version, or a wrong command line.
 */
export function mcpEdge(): Command {
  const program = new Command("mcp-edge")
    .description("An MCP server on a machine of your own, HTTP/3 first.")
    .version(VERSION)
    .exitOverride()
    .configureHelp({ optionDescription })
    .showHelpAfterError("(mcp-edge COMMAND --help lists the options, mcp-edge --help the commands)")
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge up                        create the machine on this host, and print how to connect
  mcp-edge doctor                    check it from outside
  mcp-edge token create --name ci    create a token
  mcp-edge COMMAND --help            the options of a command, with examples`,
    );
  for (const [heading, commands] of Object.entries(groups()))
    for (const command of commands) program.addCommand(command.helpGroup(heading));
  configureBelow(program);
  return program;
}
