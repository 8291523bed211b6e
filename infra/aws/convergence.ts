import { sleep } from "../exec.ts";
import { withPlainTexts } from "../plain-text.ts";
import type { Desired } from "./desired.ts";
import { RefusedError } from "./refused.ts";

/** A machine's report: `status/<instance>.json`, written by mcp-edge-pull. */
export interface Status {
  instance: string;
  /** The deployment that the report is about. */
  generation: string;
  phase: "boot" | "files" | "release" | "done" | "failed";
  ok: boolean;
  /** The release that runs. */
  release: string;
  files: string;
  /** cloud-init's extended status if the deployment is a first boot, else "". */
  cloudInit: string;
  /**
   * The certificate that NGINX uses. "self-signed": from the first boot until the ACME server has issued one. "outdated": issued by a
   * different ACME server than the configured one. "none": NGINX is not installed yet. The machine updates its report when this changes,
   * also long after the deployment.
   */
  certificate: "none" | "self-signed" | "outdated" | "issued";
  /** Why the last attempt to get or install a certificate failed (certbot's output, at most 4,000 bytes). "": it did not fail. */
  certificateProblem: string;
  /** Security updates that are not installed. */
  updates: number;
  /** Why a reboot is due. "" if none is. */
  reboot: string;
  /** The failed systemd units. */
  failedUnits: string[];
  steps: { at: string; text: string }[];
  /** The end of the log. */
  log: string;
}

/** The operations on the bucket that are needed here. */
export interface Objects {
  get<T>(key: string): Promise<T | undefined>;
  put(key: string, content: string): Promise<void>;
}

export interface Awaited {
  generation: string;
  instances: string[];
}

export interface Patience {
  log: (line: string) => void;
  /** Timeout, milliseconds. Default 25 minutes: a first boot installs packages. */
  limit?: number;
  /** Interval of the checks, milliseconds. Default 2,000. */
  every?: number;
}

/** A machine has rolled back, its first boot has failed, or it has not finished in time. */
export class DeploymentError extends Error {
  override name = "DeploymentError";
}

const statusKey = (instance: string) => `status/${instance}.json`;
const startOf = (status: Status | undefined) => status?.steps[0]?.at ?? "";

/**
 * Evaluates a report. A first boot that is done is a success even if cloud-init reports "degraded": this project's part reports "done" only
 * after all of its steps, so cloud-init's complaint is about the image.
 * @returns "running": keep waiting; undefined: success; any other text: what is wrong
 */
export function verdict(status: Status | undefined, generation: string): "running" | undefined | string {
  if (status?.generation !== generation) return "running";
  if (status.phase === "failed") {
    const runs = status.release
      ? `release ${status.release.slice(0, 12)} still runs`
      : "no release runs on it";
    return `the deployment failed; ${runs}`;
  }
  if (status.phase !== "done" || /running|not (started|run)/.test(status.cloudInit)) return "running";
  if (/error/.test(status.cloudInit)) return `cloud-init ended as "${status.cloudInit}"`;
  return undefined;
}

/**
 * Machines do not retry a failed deployment by themselves. A second `up` makes them retry: it writes the same content with a new ETag.
 * @returns the start time of each failed attempt by instance, to tell it from the new attempt
 */
async function retryFailed(
  objects: Objects,
  { generation, instances }: Awaited,
  log: (line: string) => void,
): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const instance of instances) {
    const status = await readStatus(objects, instance, log);
    if (status?.generation === generation && status.phase === "failed") failed.set(instance, startOf(status));
  }
  if (failed.size > 0) {
    const desired = await objects.get<Desired>("desired.json");
    await objects.put(
      "desired.json",
      `${JSON.stringify({ ...desired, attempt: new Date().toISOString() })}\n`,
    );
  }
  return failed;
}

/**
 * Waits until every machine runs the wanted generation, and logs each machine's steps as they happen.
 * @throws DeploymentError with the end of the log of each machine that failed, or with the last report of each machine that did not finish
 *   in time
 */
export async function converged(objects: Objects, awaited: Awaited, patience: Patience): Promise<void> {
  const { generation, instances } = awaited;
  const { log, limit = 25 * 60_000, every = 1_000 } = patience;
  const before = await retryFailed(objects, awaited, log);
  const shown = new Map<string, number>();
  const open = new Map<string, Status | undefined>(instances.map((instance) => [instance, undefined]));
  const problems: string[] = [];
  const end = Date.now() + limit;
  while (open.size > 0 && Date.now() < end) {
    for (const instance of [...open.keys()]) {
      const status = await readStatus(objects, instance, log);
      if (!status || before.get(instance) === startOf(status)) continue;
      open.set(instance, status);
      if (status.generation === generation) showSteps(status, shown, instances.length > 1, log);
      const outcome = verdict(status, generation);
      if (outcome === "running") continue;
      open.delete(instance);
      if (!outcome && status.cloudInit.includes("degraded")) log(degraded(status));
      if (outcome) problems.push(`${instance}: ${outcome}. The end of its log:\n${indented(status.log)}`);
    }
    if (open.size > 0) await sleep(every);
  }
  for (const [instance, status] of open) problems.push(late(instance, status, awaited, limit));
  if (problems.length > 0) throw new DeploymentError(problems.join("\n"));
}

const degraded = ({ instance, cloudInit }: Status) =>
  `warning: ${instance} is well, and cloud-init ended there as "${cloudInit}"; what it met: cloud-init status --long`;

/** Reads a machine's report. A failed request is logged, and the next check repeats it. @throws RefusedError since a retry would not help */
export async function readStatus(
  objects: Objects,
  instance: string,
  log: (line: string) => void,
): Promise<Status | undefined> {
  try {
    return withPlainTexts(await objects.get<Status>(statusKey(instance)));
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    log(`not yet: ${(error as Error).message}`);
    return undefined;
  }
}

function showSteps(
  status: Status,
  shown: Map<string, number>,
  many: boolean,
  log: (line: string) => void,
): void {
  const from = shown.get(status.instance) ?? 0;
  for (const { at, text } of status.steps.slice(from)) {
    log(`${many ? `${status.instance} ` : ""}${at.slice(11, 19)} ${text}`);
  }
  shown.set(status.instance, Math.max(from, status.steps.length));
}

function late(instance: string, status: Status | undefined, { generation }: Awaited, limit: number): string {
  const minutes = Math.round(limit / 60_000);
  if (!status) {
    return `${instance}: it has said nothing within ${minutes} min. Its console: aws ec2 get-console-output --latest --instance-id ${instance}`;
  }
  const last = status.steps.at(-1)?.text ?? "nothing";
  const about = status.generation === generation ? "" : `, about another deployment (${status.generation})`;
  return `${instance}: not done within ${minutes} min; it last said "${last}"${about}\n${indented(status.log)}`;
}

const indented = (text: string) => text.trimEnd().split("\n").slice(-40).join("\n  ").replace(/^/, "  ");
