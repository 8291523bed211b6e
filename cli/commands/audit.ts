import { Command } from "commander";
import { machineRef } from "../machine/machine-ref.ts";
import { serverCommand } from "../machine/server-command.ts";
import { jsonOption, machineOption, stackOption } from "./options.ts";

interface Options {
  stack: string;
  machine?: string;
  json: boolean;
  since?: string;
  person?: string;
  tool?: string;
}

/** The arguments of the server's own command `audit`, which reads the options again. */
export function serverArguments(command: "list" | "verify", options: Omit<Options, "stack" | "machine">) {
  const { json, ...filters } = options;
  const given = Object.entries(filters).map(([name, value]) => `--${name}=${value}`);
  return ["audit", command, ...given, ...(json ? ["--json"] : [])];
}

export function auditCommand(): Command {
  const command = new Command("audit").description("Read the audit log of a machine, and check it.");
  const run =
    (which: "list" | "verify") =>
    async ({ stack, machine, ...options }: Options) => {
      const ref = await machineRef(stack, machine);
      console.log((await serverCommand(ref, serverArguments(which, options))).trimEnd());
    };
  command
    .command("list")
    .description("List sign-ins, consents, tokens and tool calls, the oldest first.")
    .option("--since <time>", "from then on: 30m, 12h, 7d, or a date")
    .option("--person <who>", "id or name of a person or token")
    .option("--tool <name>", "calls of this tool only")
    .addOption(stackOption())
    .addOption(machineOption())
    .addOption(jsonOption())
    .action(run("list"));
  command
    .command("verify")
    .description("Check that no line was changed, removed or moved. Fails with the first one.")
    .addOption(stackOption())
    .addOption(machineOption())
    .addOption(jsonOption())
    .action(run("verify"));
  return command;
}
