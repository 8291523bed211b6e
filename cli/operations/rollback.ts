import { BucketClient } from "../../infra/aws/bucket-client.ts";
import { converged } from "../../infra/aws/convergence.ts";
import { desired, desiredText } from "../../infra/aws/desired.ts";
import { recordDeployment } from "../../infra/aws/history.ts";
import { onMachine } from "../../infra/local/deployment.ts";
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
  const command = ["mcp-edge-deploy", "release", target.release];
  await onMachine(ref.stack, ref.networkIndex, command, { timeout: 120_000, onLine: log });
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
  const { files, edgeFiles, tags } = earlier;
  const bucket = new BucketClient(name, ref.provider, tags);
  // With the time in place of the secrets' versions, the generation is a new one: the machines deploy also what they have tried before.
  const archives = { release: target.release, files, ...(edgeFiles ? { edgeFiles } : {}) };
  const next = desired({ ...archives, workspace: wanted.workspace }, `rollback ${Date.now()}`);
  const { generation } = next;
  await bucket.put("desired.json", desiredText(next));
  await converged(bucket, { generation, instances }, { log });
  await recordDeployment(bucket, generation, tags);
  return target;
}
