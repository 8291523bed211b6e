import { BucketClient } from "../../infra/aws/bucket-client.ts";
import { type Desired, wantedKeys } from "../../infra/aws/desired.ts";
import { type Deployed, deploymentsOf } from "../../infra/aws/history.ts";
import { onMachine } from "../../infra/local/deployment.ts";
import { awsClients } from "../aws/clients.ts";
import { accountOf, bucketName, desiredOf, machinesOf } from "../aws/stack.ts";
import { type AwsMachineRef, isInAws, type LocalMachineRef, type MachineRef } from "./machine-ref.ts";

/** A release that a stack can return to. */
export interface KeptRelease {
  /** sha256 of its archive, 64 hexadecimal digits. */
  release: string;
  /** When it was deployed last, or, on this host, when its archive was pushed. ISO 8601, UTC. */
  at: string;
  /** `previous`: what a rollback without an argument returns to. */
  state: "active" | "previous" | "kept";
}

/** The releases that a stack can return to, the newest first. @throws Error with the refusal of AWS, or of the machine */
export const releasesOf = (ref: MachineRef): Promise<KeptRelease[]> =>
  isInAws(ref) ? awsReleases(ref) : localReleases(ref);

async function localReleases({ stack, networkIndex }: LocalMachineRef): Promise<KeptRelease[]> {
  const stdout = await onMachine(stack, networkIndex, ["mcp-edge-deploy", "releases"]);
  return stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [release = "", seconds, state] = line.split(" ");
      const at = new Date(Number(seconds) * 1000).toISOString();
      return { release, at, state: state as KeptRelease["state"] };
    });
}

/** The bucket of a stack, its machines, and what they should run. */
export async function awsDeployments(ref: AwsMachineRef) {
  const { stack, provider } = ref;
  const clients = awsClients(provider);
  const found = await machinesOf(clients.ec2, stack);
  const name = bucketName(found, stack, await accountOf(clients.sts));
  const bucket = new BucketClient(name, provider);
  const [wanted, deployed, archives] = await Promise.all([
    desiredOf(bucket),
    deploymentsOf(bucket),
    Promise.all(["releases/", "files/"].map((prefix) => bucket.list(prefix))),
  ]);
  const keys = new Set(archives.flat().map(({ key }) => key));
  const instances = found.map(({ InstanceId = "" }) => InstanceId);
  return { name, bucket, wanted, instances, deployed: available(deployed, wanted, keys) };
}

/**
 * The deployments whose archives are still in the bucket, and that were of the same machines: with another `edge` they had other files. Pure.
 */
export const available = (
  deployed: readonly Deployed[],
  wanted: Desired,
  keys: ReadonlySet<string>,
): Deployed[] =>
  deployed
    .filter(({ edgeFiles }) => (edgeFiles === undefined) === (wanted.edgeFiles === undefined))
    // A rollback leaves the workspace as it is.
    .filter((entry) => wantedKeys({ ...entry, workspace: "" }).every((key) => keys.has(key)));

async function awsReleases(ref: AwsMachineRef): Promise<KeptRelease[]> {
  const { wanted, deployed } = await awsDeployments(ref);
  return withStates(deployed, wanted);
}

/** One row for each release, for its latest deployment. Pure. @param deployed the newest first */
export function withStates(deployed: readonly Deployed[], wanted: Desired): KeptRelease[] {
  const latest = deployed.filter(
    ({ release }, index) => deployed.findIndex((other) => other.release === release) === index,
  );
  const previous = latest.find(({ release }) => release !== wanted.release)?.release;
  return latest.map(({ release, at }) => ({
    release,
    at,
    state: release === wanted.release ? "active" : release === previous ? "previous" : "kept",
  }));
}

/**
 * The release to return to. Pure.
 * @param name a release's hash, or at least four digits of its beginning; undefined: the previous release
 * @throws Error that lists the kept releases when none, or more than one, fits
 */
export function pickRelease(kept: readonly KeptRelease[], name: string | undefined): KeptRelease {
  const fit =
    name === undefined
      ? kept.filter(({ state }) => state === "previous")
      : kept.filter(({ release }) => name.length >= 4 && release.startsWith(name));
  const [only] = fit;
  if (only && fit.length === 1) return only;
  const problem =
    name === undefined
      ? "There is no previous release to return to."
      : fit.length > 1
        ? `${name} fits ${fit.length} releases.`
        : `No kept release begins with ${name} (at least four hexadecimal digits).`;
  throw new Error(`${problem}${kept.length > 0 ? ` Kept:\n${releasesText(kept)}` : ""}`);
}

/** A line for each release: its hash, when it was deployed, and whether it serves. */
export const releasesText = (kept: readonly KeptRelease[]): string =>
  kept
    .map(
      ({ release, at, state }) => `${release.slice(0, 12)}  ${at.slice(0, 19).replace("T", " ")}Z  ${state}`,
    )
    .join("\n");
