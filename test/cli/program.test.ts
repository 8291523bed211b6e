import { expect, test } from "@jest/globals";
import { type Command, CommanderError } from "commander";
import { mcpEdge } from "../../cli/program.ts";

/** Every command that does something, with the words that call it. */
function leaves(command: Command, words: string[] = []): [string, Command, Command][] {
  return command.commands.flatMap((child): [string, Command, Command][] => {
    const name = [...words, child.name()];
    if (child.commands.length > 0) return leaves(child, name);
    return [[name.join(" "), child, command.parent ? command : child]];
  });
}

const commands = leaves(mcpEdge());

/** Commands whose output is another program's. */
const WITHOUT_JSON = ["logs", "shell"];

test.each(commands)("%s describes itself and its arguments", (_, command) => {
  expect(command.description()).toMatch(/^[A-Z].*\.$/s);
  for (const { description } of command.options) expect(description).not.toBe("");
  for (const argument of command.registeredArguments) expect(argument.description).not.toBe("");
});

test.each(commands)("%s names its operands and values in lower case", (_, command) => {
  for (const { flags } of command.options) expect(flags.replace(/^-\w, /, "")).toMatch(/^[^A-Z]*$/);
  for (const argument of command.registeredArguments) expect(argument.name()).toMatch(/^[^A-Z]*$/);
});

test.each(commands.filter(([name]) => !WITHOUT_JSON.includes(name)))("%s has --json", (_, command) => {
  expect(command.options.map(({ long }) => long)).toContain("--json");
});

test.each(commands)("the help of %s has an example", (_, command, group) => {
  // The group's help has the examples of its commands.
  const text = [command, group].map(helpOf).join("\n");
  expect(text).toMatch(/^\s+(?:.*: +)?(?:MCP_EDGE_TOKEN=\S+ )?(?:npm run|mcp-edge|scip-go)/m);
});

test.each(commands)("the help of %s leaves out that a flag is off", (_, command) => {
  expect(helpOf(command)).not.toMatch(/default: (false|none|\{)/);
});

test.each(commands)(
  "%s throws for a wrong command line and names its help, so that --json can print it",
  async (name) => {
    const stderr: string[] = [];
    const program = mcpEdge();
    collectErrors(program, stderr);
    const parsed = program.parseAsync([...name.split(" "), "--no-such-option"], { from: "user" });
    await expect(parsed).rejects.toBeInstanceOf(CommanderError);
    expect(stderr.join("")).toMatch(/error: .*option.*--help lists/s);
  },
);

test.each(["", "token", "clients", "bans"])(
  "mcp-edge %s with options but without a command prints its help",
  async (name) => {
    const program = mcpEdge();
    collectErrors(program, []);
    const words = name.split(" ").filter(Boolean);
    await expect(program.parseAsync([...words, "--json"], { from: "user" })).rejects.toMatchObject({
      code: "commander.help",
      exitCode: 1,
    });
  },
);

function collectErrors(command: Command, lines: string[]): void {
  command.configureOutput({ writeErr: (text) => lines.push(text) });
  for (const child of command.commands) collectErrors(child, lines);
}

/** As `--help` prints it: with what `addHelpText` adds. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}
