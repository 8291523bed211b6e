import { type Command, CommanderError } from "commander";
import { reasonOf } from "../infra/reason-of.ts";
import { describeFailure } from "./failure.ts";
import { mcpEdge } from "./program.ts";

/**
 * Runs the command line. A failure is text on standard error. With `--json` it is JSON on standard output, too: programs always get JSON
 * there.
 *
 * @returns the exit code
 */
export async function runProgram(args: readonly string[]): Promise<number | string> {
  const program = mcpEdge();
  try {
    await program.parseAsync(args, { from: "user" });
    return process.exitCode ?? 0;
  } catch (thrown) {
    const error = thrown as Error;
    // Commander has printed its own: the help, the version, or what is wrong with the command line.
    const isCommander = error instanceof CommanderError;
    const code = isCommander ? error.exitCode : 1;
    if (!isCommander) console.error(`mcp-edge: ${reasonOf(error)}`);
    if (!isCommander && process.env.MCP_EDGE_DEBUG) console.error(error);
    if (code !== 0 && isJsonWanted(args))
      console.log(JSON.stringify(describeFailure(error, `${nameOfCalled(program, args)} --help`), null, 2));
    return code;
  }
}

/** Asked of the arguments themselves: a wrong command line has no parsed options. */
function isJsonWanted(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes("--json");
}

/** The words of the command that was called, such as `mcp-edge token create`. */
function nameOfCalled(program: Command, args: readonly string[]): string {
  let command = program;
  const words = [program.name()];
  for (const word of args) {
    const next = command.commands.find((one) => one.name() === word);
    if (!next) break;
    command = next;
    words.push(word);
  }
  return words.join(" ");
}
