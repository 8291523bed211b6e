import { DescribeInstancesCommand, type EC2Client, type Instance } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand, type STSClient } from "@aws-sdk/client-sts";
import type { MachineKind } from "../../cloud-init/topology.ts";
import type { BucketClient } from "../../infra/aws/bucket-client.ts";
import type { Status } from "../../infra/aws/convergence.ts";
import type { Desired } from "../../infra/aws/desired.ts";
import { isOriginLabel } from "../../infra/aws/machine-names.ts";
import type { ProviderSettings } from "../../infra/aws/provider-settings.ts";
import { withPlainTexts } from "../../infra/plain-text.ts";
import type { KnownMachine } from "../machine/pick.ts";
import { awsClients, describeRefusal } from "./clients.ts";

/** EC2 filters for the resources of a stack: the program tags each of them. */
export const stackFilters = (stack: string) => [
  { Name: "tag:Project", Values: ["mcp-edge"] },
  { Name: "tag:Stack", Values: [stack] },
];

/** The machines of a stack in the order of their numbers, without the terminated ones. */
export async function machinesOf(ec2: EC2Client, stack: string): Promise<Instance[]> {
  const { Reservations = [] } = await ec2.send(
    new DescribeInstancesCommand({ Filters: stackFilters(stack) }),
  );
  return Reservations.flatMap(({ Instances = [] }) => Instances)
    .filter(({ State }) => State?.Name !== "terminated" && State?.Name !== "shutting-down")
    .sort((a, b) => numberOf(a) - numberOf(b));
}

/**
 * The running machines of a stack in the order of their numbers.
 * @throws Error with the refusal of AWS
 */
export async function runningMachines(provider: ProviderSettings, stack: string): Promise<KnownMachine[]> {
  try {
    return withKinds(await machinesOf(awsClients(provider).ec2, stack))
      .filter(({ found }) => found.State?.Name === "running")
      .map(({ found: { InstanceId = "" }, kind }) => ({ instance: InstanceId, ...(kind ? { kind } : {}) }));
  } catch (error) {
    throw new Error(describeRefusal(error) ?? (error as Error).message);
  }
}

const nameOf = ({ Tags = [] }: Instance): string => Tags.find(({ Key }) => Key === "Name")?.Value ?? "";

/** The number of a machine by its name: mcp-edge-prod, mcp-edge-prod.2, … .10. An origin is the second one. */
function numberOf(machine: Instance): number {
  const name = nameOf(machine);
  return isOriginLabel(name) ? 2 : Number(/\.(\d+)$/.exec(name)?.[1] ?? 1);
}

/** The machines with their kinds, where the stack has an edge that forwards packets and an origin. Pure. */
export function withKinds(machines: Instance[]): { found: Instance; kind: MachineKind | undefined }[] {
  const two = machines.some((machine) => isOriginLabel(nameOf(machine)));
  return machines.map((found) => ({
    found,
    kind: two ? (isOriginLabel(nameOf(found)) ? "origin" : "edge") : undefined,
  }));
}

/** The account that the stack's credentials belong to. */
export async function accountOf(sts: STSClient): Promise<string> {
  const { Account = "" } = await sts.send(new GetCallerIdentityCommand({}));
  return Account;
}

/**
 * Name of the bucket from which the machines pull their deployments, and into which they write their status. A machine has it as its
 * tag `Bucket`; stacks that were last deployed by an earlier version have the name that it gave.
 */
export function bucketName(machines: Instance[], stack: string, account: string): string {
  const tags = machines.flatMap(({ Tags = [] }) => Tags);
  return tags.find(({ Key }) => Key === "Bucket")?.Value ?? `mcp-edge-${stack}-${account}`;
}

/** What the machines of a stack should run. @throws Error when the bucket has no such object */
export async function desiredOf(bucket: BucketClient): Promise<Desired> {
  const desired = await bucket.get<Desired>("desired.json");
  if (!desired)
    throw new Error("The bucket has no desired.json: the stack was never deployed. Deploy it: pulumi up");
  return desired;
}

/** What a machine last reported; undefined: it has not reported yet. */
export const statusOf = async (bucket: BucketClient, instance: string) =>
  withPlainTexts(await bucket.get<Status>(`status/${instance}.json`));
