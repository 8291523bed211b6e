import { spawn } from "node:child_process";
import { once } from "node:events";
import { Command } from "commander";
import { BUNDLED_SERVER, slotUnits } from "../../cloud-init/app.ts";
import { guestOf, leader, nsenterArguments } from "../../infra/local/guest.ts";
import { networkOf } from "../../infra/local/network.ts";
import { connectText } from "../connect/client-setup.ts";
import { connectTarget } from "../connect/target.ts";
import { awsPlace, awsShell } from "../machine/aws-ssh.ts";
import { assertOneMachine } from "../machine/tokens.ts";
import { readDeployed } from "../stack/outputs.ts";
import { machineOption, stackOption } from "./options.ts";

interface Options {
  stack: string;
  /** Of a stack in AWS. */
  machine?: string;
}

/**
 * Run a program on the machine with our own terminal; its exit code becomes ours.
 * @param command empty: a root shell
 */
async function attached({ stack, machine }: Options, command: string[]): Promise<void> {
  const place = await awsPlace(stack, machine);
  if (place) {
    process.exitCode = await awsShell(place, command);
    return;
  }
  assertOneMachine(stack, machine);
  await inLocalGuest(stack, command.length > 0 ? command : ["bash", "--login"]);
}

async function inLocalGuest(stack: string, command: string[]): Promise<void> {
  const { networkIndex } = await readDeployed(stack);
  const pid = await leader(guestOf(stack, networkOf(networkIndex)));
  if (pid === undefined) throw new Error(`Machine ${stack} does not run. Start it: npm run up`);
  const child = spawn("nsenter", nsenterArguments(pid, command), { stdio: "inherit" });
  const forward = () => {}; // the terminal sends an interrupt to the child too; it decides
  process.on("SIGINT", forward);
  const [code] = await once(child, "exit");
  process.off("SIGINT", forward);
  process.exitCode = code ?? 1;
}

export const shellCommand = () =>
  new Command("shell")
    .description("A root shell on the machine, or one command there.")
    .argument("[command...]", "what to run (after --)")
    .addOption(stackOption())
    .addOption(machineOption())
    .action((command: string[], options: Options) => attached(options, command));

export const logsCommand = () =>
  new Command("logs")
    .description("The machine's journal: the server, NGINX, certificates, bans.")
    .option("-f, --follow", "go on as it grows", false)
    .option("-n, --lines <count>", "how many lines", "100")
    .option("-u, --unit <unit>", "a unit; give it again for more (default: the server's)", together)
    .addOption(stackOption())
    .addOption(machineOption())
    .action(({ follow, lines, unit, ...options }: LogsOptions) =>
      attached(options, journalctl({ follow, lines, units: unit })),
    );

interface LogsOptions extends Options {
  follow: boolean;
  lines: string;
  unit?: string[];
}

/** An option that may be given more than once. */
const together = (value: string, before: string[] = []) => [...before, value];

/** @param args.units patterns of units' names; none: the server's */
export const journalctl = (args: {
  follow: boolean;
  lines: string;
  units?: string[] | undefined;
}): string[] => [
  ...["journalctl", "--no-pager", "-n", args.lines],
  ...(args.units ?? [slotUnits(BUNDLED_SERVER)]).flatMap((unit) => ["-u", unit]),
  ...(args.follow ? ["-f"] : []),
];

export const connectCommand = () =>
  new Command("connect")
    .description("Ready-to-paste lines that connect Claude Code, VS Code, Cursor, curl and programs.")
    .addOption(stackOption())
    .action(async ({ stack }: { stack: string }) =>
      console.log(connectText(await connectTarget(stack), process.env.MCP_EDGE_TOKEN)),
    );
