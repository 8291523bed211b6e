import { DescribeInstancesCommand, type EC2Client, type Instance } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand, type STSClient } from "@aws-sdk/client-sts";
import type { BucketClient } from "../../infra/aws/bucket-client.ts";
import type { Status } from "../../infra/aws/convergence.ts";
import type { Desired } from "../../infra/aws/desired.ts";
import type { ProviderSettings } from "../../infra/aws/provider-settings.ts";
import { withPlainTexts } from "../../infra/plain-text.ts";
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
export async function runningMachines(
  provider: ProviderSettings,
  stack: string,
): Promise<{ instance: string }[]> {
  try {
    const found = await machinesOf(awsClients(provider).ec2, stack);
    return found
      .filter(({ State }) => State?.Name === "running")
      .map(({ InstanceId = "" }) => ({ instance: InstanceId }));
  } catch (error) {
    throw new Error(describeRefusal(error) ?? (error as Error).message);
  }
}

/** The number that ends a machine's name: mcp-edge-prod, mcp-edge-prod.2, … .10. */
function numberOf({ Tags = [] }: Instance): number {
  const name = Tags.find(({ Key }) => Key === "Name")?.Value ?? "";
  return Number(/\.(\d+)$/.exec(name)?.[1] ?? 1);
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
