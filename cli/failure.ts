import { CommanderError } from "commander";
import { reasonOf } from "../infra/reason-of.ts";
import { SettingsError } from "../infra/settings/errors.ts";

/** What `--json` prints on standard output instead of a result. */
export interface Failure {
  error: {
    /** `usage`, `settings`, `unsupported_host`, `engine`, `command` and so on, from the class of the error; `failed` for the others. */
    code: string;
    message: string;
    /** The commands that the message names. They fix the problem or tell more about it. Left out when there are none. */
    commands?: string[];
    /** Of wrong settings: each problem by itself. */
    problems?: string[];
  };
}

/** Classes that say nothing about what failed. */
const GENERAL = new Set(["Error", "TypeError", "RangeError", "SyntaxError", "AggregateError"]);

const START = /(?:^|[:(`,]|\bor|\buse|\bwith) ?`?/;
const PROGRAM = /(?:sudo )?(?:npm (?:run|ci|install)|mcp-edge|pulumi|aws|apt-get|fuser)\b(?!:)/;
const ARGUMENTS = /(?:\\.|'[^']*'|"[^"]*"|[^'"`\n])*?/;
const END = /`|$|[,;.](?:\s|$)|\)(?:[\s.,;]|$)| \(/;
const COMMAND = new RegExp(
  `(?<=${START.source})(?:${PROGRAM.source}${ARGUMENTS.source})(?=${END.source})`,
  "gm",
);

/** The commands that a message names: after a colon, in parentheses or backticks, or after "or". Pure. */
export const commandsIn = (message: string): string[] => [
  ...new Set([...message.matchAll(COMMAND)].map(([command]) => command.trim())),
];

/** CheckFailure: `check_failure`; UnsupportedHostError: `unsupported_host`. */
function codeOf(error: Error): string {
  if (error instanceof CommanderError || error.name === "DoctorUsageError") return "usage";
  if (GENERAL.has(error.name)) return "failed";
  return error.name
    .replace(/(?:Error|Exception)$/, "")
    .replace(/(?<=[a-z\d])(?=[A-Z])/g, "_")
    .toLowerCase();
}

/**
 * A failure for programs to read.
 *
 * @param help the command that prints the help of what was called, for a wrong command line
 */
export function describeFailure(error: Error, help: string): Failure {
  const code = codeOf(error);
  const isHelp = error instanceof CommanderError && error.code === "commander.help";
  const message = isHelp ? "A subcommand is missing." : reasonOf(error).replace(/^error: /, "");
  const commands = code === "usage" ? [help] : commandsIn(message);
  return {
    error: {
      code,
      message,
      ...(commands.length > 0 ? { commands } : {}),
      ...(error instanceof SettingsError ? { problems: error.problems } : {}),
    },
  };
}
