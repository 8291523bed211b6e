import { sleep } from "../exec.ts";
import type { Desired } from "./desired.ts";
import { RefusedError } from "./refused.ts";

/** What a machine says of itself: `status/<instance>.json`, written by mcp-edge-pull. */
export interface Status {
  instance: string;
  /** The deployment that it is about. */
  generation: string;
  phase: "boot" | "files" | "release" | "done" | "failed";
  ok: boolean;
  /** What runs. */
  release: string;
  files: string;
  /** cloud-init's extended status, of a deployment that is a first boot; else "". */
  cloudInit: string;
  /**
   * What NGINX serves with: self-signed from the first boot until the ACME server has issued one; "outdated": issued by
   * another ACME server than the one that is set now; "none": before NGINX is there. The machine writes its status again
   * when this changes, also long after the deployment.
   */
  certificate: "none" | "self-signed" | "outdated" | "issued";
  /** Why the last attempt to get or install a certificate failed (certbot's own output, at most 4,000 bytes); "": it did not. */
  certificateProblem: string;
  /** Security updates that are not installed. */
  updates: number;
  /** Why a reboot is due; "": none is. */
  reboot: string;
  /** systemd's units that failed. */
  failedUnits: string[];
  steps: { at: string; text: string }[];
  /** End of the log. */
  log: string;
}

/** What a client of the bucket must be able to do here. */
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
  /** Milliseconds; default 25 minutes: a first boot installs packages. */
  limit?: number;
  /** Milliseconds between two looks; default 2,000. */
  every?: number;
}

/** One machine went back to what it had, or its first boot ended badly. */
export class DeploymentError extends Error {
  override name = "DeploymentError";
}

const statusKey = (instance: string) => `status/${instance}.json`;
const beginning = (status: Status | undefined) => status?.steps[0]?.at ?? "";

/**
 * "running": go on waiting; undefined: well; a text: what is wrong. A first boot that is done although cloud-init says "degraded"
 * is well: our own part of it reports "done" only after each of its steps, so what cloud-init complains about is the image's.
 */
export function verdict(status: Status | undefined, generation: string): "running" | undefined | string {
  if (status?.generation !== generation) return "running";
  if (status.phase === "failed") {
    const runs = status.release
      ? `it goes on with release ${status.release.slice(0, 12)}`
      : "no release runs on it";
    return `the deployment failed; ${runs}`;
  }
  if (status.phase !== "done" || /running|not (started|run)/.test(status.cloudInit)) return "running";
  if (/error/.test(status.cloudInit)) return `cloud-init ended as "${status.cloudInit}"`;
  return undefined;
}

/**
 * A deployment that failed is not tried again by the machines; to run `up` again asks them to: the same content under
 * another ETag.
 * @returns the beginnings of the failed attempts by instance, which are not to be taken for the new one's
 */
async function tryAgain(
  objects: Objects,
  { generation, instances }: Awaited,
  log: (line: string) => void,
): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const instance of instances) {
    const status = await lookAt(objects, instance, log);
    if (status?.generation === generation && status.phase === "failed")
      failed.set(instance, beginning(status));
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
 * Wait until every machine runs the wanted generation; each machine's steps go to the log as they come.
 * @throws DeploymentError with the end of the log of each machine that did not, or what the machines last said when the
 *   limit ran out
 */
export async function converged(objects: Objects, awaited: Awaited, patience: Patience): Promise<void> {
  const { generation, instances } = awaited;
  const { log, limit = 25 * 60_000, every = 2_000 } = patience;
  const before = await tryAgain(objects, awaited, log);
  const said = new Map<string, number>();
  const open = new Map<string, Status | undefined>(instances.map((instance) => [instance, undefined]));
  const problems: string[] = [];
  const end = Date.now() + limit;
  while (open.size > 0 && Date.now() < end) {
    for (const instance of [...open.keys()]) {
      const status = await lookAt(objects, instance, log);
      if (!status || before.get(instance) === beginning(status)) continue;
      open.set(instance, status);
      if (status.generation === generation) tell(status, said, instances.length > 1, log);
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

/** A request that fails is repeated at the next look; one that is refused is not, nor are credentials that do not serve. */
export async function lookAt(
  objects: Objects,
  instance: string,
  log: (line: string) => void,
): Promise<Status | undefined> {
  try {
    return await objects.get<Status>(statusKey(instance));
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    log(`not yet: ${(error as Error).message}`);
    return undefined;
  }
}

function tell(status: Status, said: Map<string, number>, many: boolean, log: (line: string) => void): void {
  const from = said.get(status.instance) ?? 0;
  for (const { at, text } of status.steps.slice(from)) {
    log(`${many ? `${status.instance} ` : ""}${at.slice(11, 19)} ${text}`);
  }
  said.set(status.instance, Math.max(from, status.steps.length));
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
