import type { Status } from "../../infra/aws/convergence.ts";
import { credentialsFor } from "../../infra/aws/credentials.ts";
import type { Desired } from "../../infra/aws/desired.ts";
import { endpointOf } from "../../infra/aws/service-endpoint.ts";
import { AwsClient, filters } from "../doctor/aws/client.ts";
import { CheckFailure } from "../doctor/check.ts";
import type { AwsPlace } from "./aws-ssh.ts";

/** One machine beside what it should run. */
export interface MachineStatus {
  instance: string;
  /** As EC2 says, such as running. */
  state: string;
  /** What it says of itself; undefined: nothing yet. */
  status?: Status;
  /** It runs what is wanted, and well. */
  ok: boolean;
}

export interface StackStatus {
  stack: string;
  ok: boolean;
  wanted: Desired;
  machines: MachineStatus[];
}

/**
 * What a stack in AWS should run, and what each machine says of it; it only reads.
 * @throws CheckFailure in the words of AWS
 */
export async function awsStatus({ stack, provider }: AwsPlace): Promise<StackStatus> {
  const aws = new AwsClient({
    region: provider.region,
    credentials: credentialsFor(provider),
    endpoint: (service) => endpointOf(provider, service),
  });
  const identity = await aws.query("sts", "GetCallerIdentity");
  const bucket = `mcp-edge-${stack}-${identity.get("GetCallerIdentityResult/Account")}`;
  const found = await aws.query(
    "ec2",
    "DescribeInstances",
    filters({ "tag:Project": "mcp-edge", "tag:Stack": stack }),
  );
  const wanted = JSON.parse(await aws.s3(bucket, "desired.json")) as Desired;
  const instances = found
    .all("reservationSet/item")
    .flatMap((reservation) => reservation.all("instancesSet/item"))
    .map((item) => ({ instance: item.get("instanceId"), state: item.get("instanceState/name") }))
    .filter(({ state }) => state !== "terminated");
  const machines: MachineStatus[] = [];
  for (const { instance, state } of instances) {
    const status = await aws.s3(bucket, `status/${instance}.json`).then(
      (text) => JSON.parse(text) as Status,
      (error: Error) => {
        // Before its first word there is no such object.
        if (error instanceof CheckFailure && /NoSuchKey/.test(error.message)) return undefined;
        throw error;
      },
    );
    const ok = state === "running" && status?.ok === true && status.generation === wanted.generation;
    machines.push({ instance, state, ok, ...(status ? { status } : {}) });
  }
  const ok = machines.length > 0 && machines.every((machine) => machine.ok);
  return { stack, ok, wanted, machines };
}

const short = (hash: string | undefined) => (hash ? hash.slice(0, 12) : "none");

/** For people: what is wanted, then a line a machine and, where it is not well, what it last said. */
export function statusText({ stack, wanted, machines }: StackStatus): string {
  const head = `${stack}: release ${short(wanted.release)}, files ${short(wanted.files)}, generation ${wanted.generation}`;
  if (machines.length === 0) return `${head}\nNo machine is there. Bring it up: pulumi up --stack ${stack}`;
  return [head, ...machines.map((machine) => lineOf(machine, wanted))].join("\n");
}

function lineOf({ instance, state, status, ok }: MachineStatus, wanted: Desired): string {
  if (!status) return `${instance} (${state}): it has said nothing yet`;
  const { phase, release, certificate, certificateProblem, generation, steps } = status;
  const about = generation === wanted.generation ? phase : `${phase}, at generation ${generation}`;
  const lines = [`${instance} (${state}): ${about}, release ${short(release)}, certificate ${certificate}`];
  const last = steps.at(-1);
  if (!ok && last) lines.push(`  last: ${last.at} ${last.text}`);
  if (certificate !== "issued" && certificateProblem)
    lines.push(`  no certificate: ${certificateProblem.trim().split("\n").at(-1)}`);
  return lines.join("\n");
}
