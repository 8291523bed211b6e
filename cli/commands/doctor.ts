import { Command } from "commander";
import { byHand } from "../doctor/as/by-hand.ts";
import { type ClientShape, clientsNamed } from "../doctor/as/clients.ts";
import { checksAs } from "../doctor/as/index.ts";
import { byLink, type SignIn } from "../doctor/as/sign-in.ts";
import { CHECKS } from "../doctor/checks/index.ts";
import { runWithProgress } from "../doctor/progress.ts";
import { renderForTerminal } from "../doctor/render.ts";
import type { DoctorOptions, DoctorReport } from "../doctor/run.ts";
import { DoctorUsageError } from "../doctor/target.ts";
import { awsDoctor, type DoctorDefault, doctorDefault } from "../operations/doctor.ts";
import { jsonOption, stackOption } from "./options.ts";

export interface DoctorCommandOptions {
  /** Finds the host of a stack when no URL was given. @throws Error whose message says what to run */
  resolveDefault?: (stack: string) => Promise<DoctorDefault>;
  /** Examines a stack through the APIs of AWS instead of over the network. */
  examineAws?: (stack: string, limitMs: number) => Promise<DoctorReport>;
}

interface Flags {
  stack: string;
  /** A value, or false: leave out what needs one. */
  token?: string | false;
  ca?: string;
  connect?: string;
  json: boolean;
  aws?: boolean;
  as?: string;
  path: string;
  signIn?: boolean;
  timeout: string;
}

/** Exit code when the command line is wrong; 1 says that a check failed. */
const USAGE = 2;

const EXAMPLES = `
Examples:
  the machine that \`up\` has made:  mcp-edge doctor
  any host:                         MCP_EDGE_TOKEN=... mcp-edge doctor https://edge.example.com
  a stack in AWS:                   MCP_EDGE_TOKEN=... mcp-edge doctor --stack prod
  what AWS has of it:               mcp-edge doctor --aws --stack prod
  as Claude.ai and Cursor sign in:  mcp-edge doctor https://edge.example.com --as claude.ai,cursor
  up to a tool call:                mcp-edge doctor https://edge.example.com --as chatgpt --sign-in
  before its DNS exists:            mcp-edge doctor https://edge.example.com --connect 192.0.2.10 --ca ca.pem

The exit code is 0 when all checks passed, 1 when one failed, 2 when the command line is wrong.`;

/** The command \`doctor [URL]\`. */
export function doctorCommand({
  resolveDefault = doctorDefault,
  examineAws = awsDoctor,
}: DoctorCommandOptions = {}): Command {
  return new Command("doctor")
    .description("Check an edge from outside as its clients do, and say what is wrong and how to fix it.")
    .argument("[url]", "such as https://edge.example.com; without it the machine of this checkout")
    .option(
      "--token <token>",
      "bearer token for /mcp (better: environment variable MCP_EDGE_TOKEN, which others cannot see)",
    )
    .option("--no-token", "leave out what needs a token: there is none before a machine's first deployment")
    .option("--ca <file>", "PEM file to trust beside the system's roots")
    .option("--connect <address>", "connect to this IP address instead of asking DNS")
    .option("--timeout <seconds>", "limit of one check (the keep-alive checks always wait 16 s)", "10")
    .option("--aws", "ask AWS about the stack and its account instead (only reads; needs credentials)")
    .option(
      "--as <clients>",
      "sign in as these clients do, step by step: claude.ai, chatgpt, claude-code, cursor, vscode, zed, librechat, inspector, or all",
    )
    .option("--path <path>", "with --as: the MCP endpoint of the host", "/mcp")
    .option(
      "--sign-in",
      "with --as: a person signs in in a browser, so that the checks go on up to a tool call",
    )
    .addOption(jsonOption())
    .addOption(stackOption())
    .addHelpText("after", EXAMPLES)
    .action(async (url: string | undefined, flags: Flags, command: Command) => {
      try {
        if (flags.aws) {
          process.exitCode = show(await examineAws(flags.stack, limitOf(flags)), flags.json);
          return;
        }
        const clients = flags.as === undefined ? undefined : clientsOf(flags.as);
        const known = url === undefined ? await resolveDefault(flags.stack) : undefined;
        const options = optionsOf(url, flags, known);
        process.exitCode =
          clients === undefined
            ? show(await runWithProgress(options), flags.json)
            : await examineAs(clients, options, flags, signInOf(flags, known));
      } catch (error) {
        if (!(error instanceof DoctorUsageError)) throw error;
        command.error(`error: ${error.message}`, { exitCode: USAGE });
      }
    });
}

/** @returns milliseconds */
function limitOf(flags: Flags): number {
  const seconds = Number(flags.timeout);
  if (seconds > 0 && seconds <= 600) return seconds * 1000;
  throw new DoctorUsageError(`--timeout takes seconds between 0 and 600, not "${flags.timeout}"`);
}

function clientsOf(text: string): ClientShape[] {
  try {
    return clientsNamed(text);
  } catch (error) {
    throw new DoctorUsageError((error as Error).message);
  }
}

/** Who signs in: a person where `--sign-in` says so, else the doctor's own person of a machine of ours, else nobody. */
function signInOf(flags: Flags, known: DoctorDefault | undefined): SignIn | undefined {
  if (flags.signIn === true) return byHand();
  return known?.signInLink && byLink(known.signInLink);
}

/** One report for each client, one after the other: the limits of the server are for one client at a time. */
async function examineAs(
  clients: ClientShape[],
  options: DoctorOptions,
  flags: Flags,
  signIn: SignIn | undefined,
): Promise<number> {
  const reports: (DoctorReport & { as: string })[] = [];
  for (const shape of clients) {
    const checks = checksAs(shape, { path: flags.path, ...(signIn ? { signIn } : {}) });
    const report = await runWithProgress({ ...options, checks }, flags.signIn);
    reports.push({ as: shape.id, ...report });
    if (!flags.json) {
      process.stdout.write(`As ${shape.title}\n${renderForTerminal(report, process.stdout)}\n\n`);
    }
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  else if (signIn === undefined)
    process.stdout.write("Nobody signed in: add --sign-in to go on up to a tool call.\n");
  return reports.every(({ ok }) => ok) ? 0 : 1;
}

function optionsOf(url: string | undefined, flags: Flags, known: DoctorDefault | undefined): DoctorOptions {
  const timeoutMs = limitOf(flags);
  const ca = flags.ca ?? known?.ca;
  const connect = flags.connect ?? known?.address;
  const noToken = flags.token === false;
  const token =
    flags.token === false ? undefined : (flags.token ?? (process.env.MCP_EDGE_TOKEN || known?.token));
  return {
    url: url ?? known?.url ?? "",
    timeoutMs,
    ...(ca === undefined ? {} : { ca }),
    ...(connect === undefined ? {} : { connect }),
    ...(token === undefined ? {} : { token }),
    ...(noToken ? { noToken } : {}),
    ...(known?.auth === undefined ? {} : { auth: known.auth }),
    ...(known?.machine === undefined ? {} : { machine: known.machine }),
    ...(known?.more === undefined ? {} : { checks: [...CHECKS, ...known.more] }),
  };
}

/** Prints the report. @returns the exit code */
function show(report: DoctorReport, json: boolean): number {
  if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stdout.write(`${renderForTerminal(report, process.stdout)}\n`);
  return report.ok ? 0 : 1;
}
