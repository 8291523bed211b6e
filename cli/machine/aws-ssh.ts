import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cliEnvironment } from "../../infra/aws/credentials.ts";
import { type ProviderSettings, providerSettings } from "../../infra/aws/provider-settings.ts";
import { run } from "../../infra/exec.ts";
import { cacheFolder } from "../../infra/paths.ts";
import { stackConfig } from "../stack/workspace.ts";
import { targetOf } from "../team.ts";

/** Debian's images make this account; it may become root. */
const ACCOUNT = "admin";

export interface AwsPlace {
  stack: string;
  /** The stack's own settings of the AWS provider. */
  provider: ProviderSettings;
  /** Id of an instance, or a number from 1; default: the first. */
  machine?: string;
}

/**
 * Where a stack in AWS is, and who asks there; undefined for a stack of another target.
 * @throws Error with the line that mends it when it has no region
 */
export async function awsPlace(stack: string, machine?: string): Promise<AwsPlace | undefined> {
  const config = await stackConfig(stack);
  if (targetOf(config) !== "aws") return undefined;
  const provider = providerSettings(config, regionOf(stack, config));
  return { stack, provider, ...(machine ? { machine } : {}) };
}

/** The region of a stack in AWS. @throws Error with the line that mends it when it has none */
export function regionOf(stack: string, config: Record<string, string>): string {
  const region = config["aws:region"] ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (region) return region;
  throw new Error(
    `Stack ${stack} has no region. Fix: pulumi config set aws:region eu-central-1 --stack ${stack}`,
  );
}

/** Arguments of a call of the AWS CLI: it knows profiles, single sign-on and the tunnel's protocol. */
const awsArguments = (region: string, ...args: string[]) => [...args, "--region", region, "--output", "text"];

async function aws({ provider }: AwsPlace, ...args: string[]): Promise<string> {
  const env = { ...process.env, ...(await cliEnvironment(provider)) };
  try {
    return (await run("aws", awsArguments(provider.region, ...args), { env })).stdout.trim();
  } catch (error) {
    const hint = "It takes the AWS CLI, version 2.12 or later, signed in: aws sts get-caller-identity";
    throw new Error(`${(error as Error).message}\n${hint}`);
  }
}

/** @throws Error that names what there is when the wanted machine is not among it. Pure. */
export function pickInstance(
  found: string[],
  { stack, machine = "1" }: Pick<AwsPlace, "stack" | "machine">,
): string {
  const picked = found.find((id) => id === machine) ?? found[Number(machine) - 1];
  if (picked) return picked;
  if (found.length === 0)
    throw new Error(`No machine of stack ${stack} runs in AWS. Bring it up: pulumi up --stack ${stack}`);
  throw new Error(
    `Stack ${stack} has no machine ${machine}; it has ${found.join(", ")} (1 to ${found.length})`,
  );
}

/**
 * Arguments of ssh through the tunnel of EC2 Instance Connect. The host key is learnt at the first visit of an instance: the
 * tunnel, which IAM opens to that very instance, is what stands for it. Pure.
 */
export function sshArguments(
  {
    instance,
    region,
    key,
    knownHosts,
  }: { instance: string; region: string; key: string; knownHosts: string },
  command: string[],
): string[] {
  const tunnel = `aws ec2-instance-connect open-tunnel --instance-id ${instance} --region ${region}`;
  const options = {
    ProxyCommand: tunnel,
    HostKeyAlias: instance,
    UserKnownHostsFile: knownHosts,
    StrictHostKeyChecking: "accept-new",
    IdentitiesOnly: "yes",
    LogLevel: "ERROR",
  };
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return [
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    "-i",
    key,
    ...(command.length === 0 ? ["-t"] : []),
    `${ACCOUNT}@${instance}`,
    command.length === 0 ? "exec sudo -i" : `exec sudo -- ${quoted}`,
  ];
}

/**
 * A key made for the occasion, which EC2 Instance Connect hands to the machine for a minute, and ssh through its endpoint. No
 * port is open to the world.
 * @param work gets the arguments of ssh; the key is gone when it ends
 */
async function throughTunnel<T>(
  place: AwsPlace,
  command: string[],
  work: (args: string[]) => Promise<T>,
): Promise<T> {
  const { stack } = place;
  const { region } = place.provider;
  // Loaded late: the clients of the AWS SDK would double the time that every other command takes to start.
  const { runningMachines } = await import("../aws/stack.ts");
  const instance = pickInstance(await runningMachines(place.provider, stack), place);
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-shell-"));
  try {
    const key = join(folder, "key");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "mcp-edge shell", "-f", key]);
    const publicKey = (await readFile(`${key}.pub`, "utf8")).trim();
    await aws(
      place,
      ...["ec2-instance-connect", "send-ssh-public-key", "--instance-id", instance],
      ...["--instance-os-user", ACCOUNT, "--ssh-public-key", publicKey],
    );
    const knownHosts = join(cacheFolder("ssh"), `${stack}.known_hosts`);
    return await work(sshArguments({ instance, region, key, knownHosts }, command));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A root shell, or one command, on a machine in AWS, with our own terminal.
 * @returns the exit code
 */
export const awsShell = (place: AwsPlace, command: string[]): Promise<number> =>
  throughTunnel(place, command, async (args) => {
    // ssh starts the AWS CLI for the tunnel.
    const env = { ...process.env, ...(await cliEnvironment(place.provider)) };
    const child = spawn("ssh", args, { stdio: "inherit", env });
    const forward = () => {}; // the terminal sends an interrupt to the child too; it decides
    process.on("SIGINT", forward);
    const [code] = await once(child, "exit");
    process.off("SIGINT", forward);
    return code ?? 1;
  });

/** What a command on a machine in AWS prints. @throws CommandError when it fails */
export const awsOutput = (place: AwsPlace, command: string[]): Promise<string> =>
  throughTunnel(place, command, async (args) => {
    const env = { ...process.env, ...(await cliEnvironment(place.provider)) };
    return (await run("ssh", args, { env })).stdout;
  });
