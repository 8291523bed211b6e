import { type Command, InvalidArgumentError, Option } from "commander";

/** The name is part of paths and of names of resources. */
function stackName(text: string): string {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(text))
    throw new InvalidArgumentError("Write lower-case letters, digits and hyphens, 31 at most.");
  return text;
}

export const stackOption = () =>
  new Option("-s, --stack <name>", "the stack: one environment, one machine")
    .argParser(stackName)
    .default("local")
    .env("MCP_EDGE_STACK");

export const machineOption = () =>
  new Option(
    "-m, --machine <which>",
    "of a stack in AWS: its number, from 1, or its instance id; with edge: passthrough on this host: edge or origin",
  );

export const jsonOption = () =>
  new Option("--json", "print the result, or the failure, as JSON; progress goes to standard error").default(
    false,
  );

/** What `withMachineOptions` parses. */
export interface MachineOptions {
  stack: string;
  machine?: string;
  json: boolean;
}

/** The options of a command that works on one machine and prints a result. */
export const withMachineOptions = (command: Command): Command =>
  command.addOption(stackOption()).addOption(machineOption()).addOption(jsonOption());

/** `--set key=value`, as often as wanted. @throws InvalidArgumentError for text without "=" */
export const setOption = () =>
  new Option(
    "--set <key=value>",
    "a setting (docs/settings.md), kept until `down`; `key=` takes it back; a secret as `key=@FILE`",
  )
    .argParser((text: string, before: Record<string, string>) => {
      const at = text.indexOf("=");
      if (at < 1) throw new InvalidArgumentError("Write it as key=value, such as --set rateLimit=100.");
      return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
    })
    .default({});
