import { type MachineKind, machineKinds, serverKind, type Topology } from "../../cloud-init/topology.ts";
import { type ProviderSettings, providerSettings } from "../../infra/aws/provider-settings.ts";
import { forwarderOf } from "../../infra/local/guest.ts";
import { parseSettings, rawSettings } from "../../infra/settings.ts";
import { type Deployed, readDeployed } from "../stack/outputs.ts";
import { targetOf } from "../stack/team.ts";
import { stackConfig } from "../stack/workspace.ts";

/** A machine of a stack in AWS. */
export interface AwsMachineRef {
  stack: string;
  /** The stack's own settings of the AWS provider: account, region, endpoints. */
  provider: ProviderSettings;
  /** Id of an instance, a number from 1, or `edge` or `origin` where the stack has these two. Default: the machine that runs the server. */
  machine?: string;
}

/** A machine of a stack on this host: `stack` is the name of its folder (infra/local/guest.ts). */
export type LocalMachineRef = Pick<Deployed, "stack" | "networkIndex">;

export type MachineRef = LocalMachineRef | AwsMachineRef;

/**
 * Finds out where a machine is, from the stack's settings and outputs alone: no engine is started.
 * @param machine of a stack in AWS: its number from 1, or its instance id. Default: the first. On this host: `edge` or `origin`. Default: the
 *   machine that runs the server
 * @throws Error with the command to run when a stack of this host is not up or one in AWS has no region, or when it is asked for another machine than its one
 */
export async function machineRef(stack: string, machine?: string): Promise<MachineRef> {
  const config = await stackConfig(stack);
  if (targetOf(config) === "aws")
    return {
      stack,
      provider: providerSettings(config, regionOf(stack, config)),
      ...(machine ? { machine } : {}),
    };
  const { edge } = parseSettings(rawSettings(config), stack);
  const kind = localKind(stack, edge, machine);
  const { networkIndex } = await readDeployed(stack);
  return { stack: kind === serverKind(edge) ? stack : forwarderOf(stack), networkIndex };
}

/** Which machine of a stack on this host is meant. Pure. @throws Error when it has none of that name */
function localKind(stack: string, edge: Topology, machine?: string): MachineKind {
  if (machine === undefined || machine === "1") return serverKind(edge);
  const found = machineKinds(edge).find((kind) => kind === machine);
  if (found && edge === "passthrough") return found;
  throw new Error(
    edge === "passthrough"
      ? `Stack ${stack} is on this host and has no machine ${machine}. Write --machine edge or --machine origin.`
      : `Stack ${stack} is on this host and has one machine. Leave out --machine ${machine}.`,
  );
}

/** Whether a stack on this host has a second machine, `edge`, in front of the one that runs the server. */
export async function hasForwarder(stack: string): Promise<boolean> {
  const { edge, target } = parseSettings(rawSettings(await stackConfig(stack)), stack);
  return target === "local" && edge === "passthrough";
}

export const isInAws = (ref: MachineRef): ref is AwsMachineRef => "provider" in ref;

/** The region of a stack in AWS. @throws Error with the command to run when it has none */
export function regionOf(stack: string, config: Record<string, string>): string {
  const region = config["aws:region"] ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (region) return region;
  throw new Error(
    `Stack ${stack} has no region. Fix: pulumi config set aws:region eu-central-1 --stack ${stack}`,
  );
}
