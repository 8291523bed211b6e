import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cliEnvironment } from "../../infra/aws/credentials.ts";
import { run } from "../../infra/exec.ts";
import { cacheFolder } from "../../infra/paths.ts";
import type { AwsMachineRef } from "./machine-ref.ts";
import { pickMachine } from "./pick.ts";
import { runInTerminal } from "./terminal.ts";

/** The account that Debian's images come with; it may become root. */
const ACCOUNT = "admin";

/** The AWS CLI opens the tunnel. It finds the stack's account by these variables. */
const environment = async ({ provider }: AwsMachineRef) => ({
  ...process.env,
  ...(await cliEnvironment(provider)),
});

async function aws(ref: AwsMachineRef, ...args: string[]): Promise<void> {
  const all = [...args, "--region", ref.provider.region, "--output", "text"];
  try {
    await run("aws", all, { env: await environment(ref) });
  } catch (error) {
    const hint = "This needs the AWS CLI, version 2.12 or later, signed in: aws sts get-caller-identity";
    throw new Error(`${(error as Error).message}\n${hint}`);
  }
}

/**
 * Arguments of ssh through the tunnel of EC2 Instance Connect. The host key is accepted at the first connection to an instance. It
 * need not be known before: IAM opens the tunnel to that very instance. Pure.
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
 * Makes a key for one connection and gives its public half to EC2 Instance Connect, which hands it to the machine for a minute.
 * No port is open to the internet.
 * @param work gets the arguments and the environment of ssh, and the machine's id; the key is removed when it ends
 */
async function throughTunnel<T>(
  ref: AwsMachineRef,
  command: string[],
  work: (args: string[], env: NodeJS.ProcessEnv, instance: string) => Promise<T>,
): Promise<T> {
  const { stack, provider, machine } = ref;
  // Loaded late: the clients of the AWS SDK would double the time that every other command takes to start.
  const { runningMachines } = await import("../aws/stack.ts");
  const { instance } = pickMachine(await runningMachines(provider, stack), { stack, wanted: machine });
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-shell-"));
  try {
    const key = join(folder, "key");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "mcp-edge shell", "-f", key]);
    const publicKey = (await readFile(`${key}.pub`, "utf8")).trim();
    await aws(
      ref,
      ...["ec2-instance-connect", "send-ssh-public-key", "--instance-id", instance],
      ...["--instance-os-user", ACCOUNT, "--ssh-public-key", publicKey],
    );
    const knownHosts = join(cacheFolder("ssh"), `${stack}.known_hosts`);
    const args = sshArguments({ instance, region: provider.region, key, knownHosts }, command);
    return await work(args, await environment(ref), instance);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a command on a machine in AWS, with our own terminal. @returns its exit code */
export const sshInTerminal = (ref: AwsMachineRef, command: string[]): Promise<number> =>
  throughTunnel(ref, command, (args, env) => runInTerminal("ssh", args, env));

/** Runs a command on a machine in AWS. @returns what it prints @throws CommandError when it fails */
export const sshOutput = (ref: AwsMachineRef, command: string[]): Promise<string> =>
  throughTunnel(ref, command, async (args, env, instance) => {
    const shownAs = `${command.join(" ")} (on ${instance}, over ssh)`;
    return (await run("ssh", args, { env, shownAs })).stdout;
  });
