import { BucketClient } from "../../infra/aws/bucket-client.ts";
import type { Status } from "../../infra/aws/convergence.ts";
import type { Desired } from "../../infra/aws/desired.ts";
import { awsClients } from "../aws/clients.ts";
import { accountOf, bucketName, desiredOf, machinesOf, statusOf, withKinds } from "../aws/stack.ts";
import type { AwsMachineRef } from "./machine-ref.ts";
import type { KnownMachine } from "./pick.ts";

/** One machine beside what it should run. */
export interface MachineStatus extends KnownMachine {
  /** As EC2 names it, such as running. */
  state: string;
  /** What the machine last reported; undefined: nothing yet. */
  status?: Status;
  /** Whether it runs what is wanted, and is healthy. */
  ok: boolean;
}

export interface StackStatus {
  stack: string;
  ok: boolean;
  wanted: Desired;
  machines: MachineStatus[];
}

/** What a stack in AWS should run, and what each machine reports. Only reads. @throws Error with the refusal of AWS */
export async function awsStatus({ stack, provider }: AwsMachineRef): Promise<StackStatus> {
  const clients = awsClients(provider);
  const instances = await machinesOf(clients.ec2, stack);
  const bucket = new BucketClient(bucketName(instances, stack, await accountOf(clients.sts)), provider);
  const wanted = await desiredOf(bucket);
  const machines = await Promise.all(
    withKinds(instances).map(async ({ found, kind }): Promise<MachineStatus> => {
      const { InstanceId: instance = "", State } = found;
      const status = await statusOf(bucket, instance);
      const state = State?.Name ?? "";
      const ok = state === "running" && status?.ok === true && status.generation === wanted.generation;
      return { instance, ...(kind ? { kind } : {}), state, ok, ...(status ? { status } : {}) };
    }),
  );
  const ok = machines.length > 0 && machines.every((machine) => machine.ok);
  return { stack, ok, wanted, machines };
}

const short = (hash: string | undefined) => (hash ? hash.slice(0, 12) : "none");

/** For people: what is wanted, a line for each machine and, for one that is not healthy, the last step that it reported. */
export function statusText({ stack, wanted, machines }: StackStatus): string {
  const head = `${stack}: release ${short(wanted.release)}, files ${short(wanted.files)}, generation ${wanted.generation}`;
  if (machines.length === 0) return `${head}\nThere is no machine. Make it: pulumi up --stack ${stack}`;
  return [head, ...machines.map((machine) => lineOf(machine, wanted))].join("\n");
}

function lineOf({ instance, kind, state, status, ok }: MachineStatus, wanted: Desired): string {
  const name = `${instance} (${kind ? `${kind}, ` : ""}${state})`;
  if (!status) return `${name}: it has not reported yet`;
  const { phase, release, files, certificate, certificateProblem, generation, steps } = status;
  const at = generation === wanted.generation ? phase : `${phase}, at generation ${generation}`;
  // An edge that forwards packets runs no release and has no certificate.
  const serves = kind !== "edge";
  const has = serves ? `release ${short(release)}, certificate ${certificate}` : `files ${short(files)}`;
  const lines = [`${name}: ${at}, ${has}`];
  const last = steps.at(-1);
  if (!ok && last) lines.push(`  last: ${last.at} ${last.text}`);
  if (serves && certificate !== "issued" && certificateProblem)
    lines.push(`  no certificate: ${certificateProblem.trim().split("\n").at(-1)}`);
  return lines.join("\n");
}
