import { createHash } from "node:crypto";
import { BucketClient } from "../../infra/aws/bucket-client.ts";
import { converged } from "../../infra/aws/convergence.ts";
import { desiredText } from "../../infra/aws/desired.ts";
import { recordDeployment } from "../../infra/aws/history.ts";
import { guestOf, inGuest } from "../../infra/local/guest.ts";
import { networkOf } from "../../infra/local/network.ts";
import {
  type AwsMachineRef,
  isInAws,
  type LocalMachineRef,
  type MachineRef,
} from "../machine/machine-ref.ts";
import {
  awsDeployments,
  type KeptRelease,
  pickRelease,
  releasesOf,
  withStates,
} from "../machine/releases.ts";

export interface RollbackOptions {
  /** A release's hash or the beginning of it; undefined: the previous release. */
  release: string | undefined;
  /** Whether to go on. */
  confirm: (target: KeptRelease) => Promise<boolean>;
  /** Receives each step as it happens. */
  log: (line: string) => void;
}

/**
 * Returns a stack to a release that it has run before, without a build and without the engine.
 * @returns undefined when it was not confirmed
 * @throws Error when there is no such release; DeploymentError with the log of a machine that stayed on its present release
 */
export const rollback = (ref: MachineRef, options: RollbackOptions): Promise<KeptRelease | undefined> =>
  isInAws(ref) ? awsRollback(ref, options) : localRollback(ref, options);

async function localRollback(
  ref: LocalMachineRef,
  { release, confirm, log }: RollbackOptions,
): Promise<KeptRelease | undefined> {
  const target = pickRelease(await releasesOf(ref), release);
  if (!(await confirm(target))) return undefined;
  const guest = guestOf(ref.stack, networkOf(ref.networkIndex));
  await inGuest(guest, ["mcp-edge-deploy", "release", target.release], { timeout: 120_000, onLine: log });
  return target;
}

/**
 * Writes `desired.json` with the release and the machine's files of an earlier deployment, which belong together. The workspace stays as it
 * is. Machines follow within ten seconds.
 */
async function awsRollback(
  ref: AwsMachineRef,
  { release, confirm, log }: RollbackOptions,
): Promise<KeptRelease | undefined> {
  const { name, wanted, deployed, instances } = await awsDeployments(ref);
  const target = pickRelease(withStates(deployed, wanted), release);
  const earlier = deployed.find((deployment) => deployment.release === target.release);
  if (!earlier || !(await confirm(target))) return undefined;
  const { files, tags } = earlier;
  const bucket = new BucketClient(name, ref.provider, tags);
  // A generation of its own: the machines deploy also what they have tried before.
  const content = JSON.stringify([target.release, files, wanted.workspace, "rollback", Date.now()]);
  const generation = createHash("sha256").update(content).digest("hex").slice(0, 16);
  await bucket.put(
    "desired.json",
    desiredText({ release: target.release, files, workspace: wanted.workspace, generation }),
  );
  await converged(bucket, { generation, instances }, { log });
  await recordDeployment(bucket, generation, tags);
  return target;
}
