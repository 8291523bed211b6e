import type { Command } from "commander";
import { acmeRoots } from "../../infra/aws/acme-roots.ts";
import { providerSettings } from "../../infra/aws/provider-settings.ts";
import { rawSettings } from "../../infra/edge.ts";
import { onMachine } from "../../infra/local/deployment.ts";
import { parseSettings } from "../../infra/settings.ts";
import { type DoctorDefault, doctorCommand } from "../commands/doctor.ts";
import { stackOption } from "../commands/options.ts";
import { CHECKS } from "../doctor/checks/index.ts";
import { bansCheck, parseBans } from "../doctor/checks/machine/bans.ts";
import { patchesCheck } from "../doctor/checks/machine/patches.ts";
import { progressLine } from "../doctor/progress.ts";
import { renderReport } from "../doctor/render.ts";
import { type DoctorReport, runDoctor } from "../doctor/run.ts";
import { regionOf } from "../machine/aws-ssh.ts";
import { createToken, withShortToken } from "../machine/tokens.ts";
import { type Deployed, readDeployed } from "../stack/outputs.ts";
import { stackConfig } from "../stack/workspace.ts";
import { targetOf } from "../team.ts";

/** Long enough for every check; it expires by itself. */
const TOKEN_SECONDS = 300;

/** Asked of the machine itself, past the network: a banned host could not ask otherwise. */
const bansOf = ({ stack, networkIndex }: Deployed) =>
  bansCheck(async () => parseBans(await onMachine(stack, networkIndex, ["fail2ban-client", "banned"])));

const patchesOf = ({ stack, networkIndex }: Deployed) =>
  patchesCheck(() => onMachine(stack, networkIndex, ["mcp-edge-deploy", "status"]), stack);

const target = (deployed: Deployed) => ({ url: new URL(deployed.url).origin, ca: deployed.rootsFile });

/**
 * The command `doctor`. Without a URL it examines the stack: one on this host with a token made for the occasion, one in AWS at
 * its domain, with the roots of its certificates.
 */
export function doctor(): Command {
  const resolveDefault = async (): Promise<DoctorDefault> => {
    const inAws = await awsTarget(command.opts().stack);
    if (inAws) return inAws;
    const deployed = await readDeployed(command.opts().stack);
    const known = { ...target(deployed), more: [bansOf(deployed), patchesOf(deployed)] };
    if (process.env.MCP_EDGE_TOKEN) return known;
    const { token } = await createToken(deployed, { name: "doctor", ttl: TOKEN_SECONDS });
    return { ...known, token };
  };
  const examineAws = (limitMs: number) => awsDoctor(command.opts().stack, limitMs);
  const command: Command = doctorCommand({ resolveDefault, examineAws }).addOption(stackOption());
  return command;
}

/** Where a stack in AWS is reached, by its settings alone; undefined: it is not in AWS. */
async function awsTarget(stack: string): Promise<DoctorDefault | undefined> {
  const config = await stackConfig(stack);
  if (targetOf(config) !== "aws") return undefined;
  const settings = parseSettings(rawSettings(config), stack);
  if (settings.target !== "aws") return undefined;
  const ca = await acmeRoots(settings);
  return { url: `https://${settings.domain}`, auth: settings.auth, ...(ca ? { ca } : {}) };
}

/** Ask AWS about a stack, by its settings: it need not be up, nor have been brought up from this host. */
async function awsDoctor(stack: string, limitMs: number): Promise<DoctorReport> {
  const config = await stackConfig(stack);
  const settings = parseSettings(rawSettings(config), stack);
  if (settings.target !== "aws") {
    throw new Error(
      `Stack ${stack} is not in AWS (target ${settings.target}). Name one that is: --stack dev`,
    );
  }
  const provider = providerSettings(config, regionOf(stack, config));
  const { runAwsDoctor } = await import("../doctor/aws/run.ts");
  return runAwsDoctor({ settings, provider, limitMs });
}

/** Examine a stack that is up. */
export async function doctorOf(deployed: Deployed, { quiet }: { quiet: boolean }): Promise<DoctorReport> {
  const progress = !quiet && process.stderr.isTTY ? progressLine(process.stderr) : undefined;
  try {
    return await withShortToken(deployed, (token) =>
      runDoctor({
        ...target(deployed),
        checks: [...CHECKS, bansOf(deployed)],
        token,
        ...(progress ? { onProgress: progress.update } : {}),
      }),
    );
  } finally {
    progress?.end();
  }
}

export const reportText = (report: DoctorReport) =>
  renderReport(report, {
    colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
    width: process.stdout.isTTY ? process.stdout.columns : 0,
  });
