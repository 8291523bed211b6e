import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { Listr } from "listr2";
import type { Settings } from "../../infra/settings.ts";
import { ensureEngine } from "../engine/index.ts";
import { type MachineRef, machineRef } from "../machine/machine-ref.ts";
import { type Enrolment, enrolOwner } from "../machine/people.ts";
import { type Changes, eventLines, noChanges } from "../stack/engine-events.ts";
import { policyPacks } from "../stack/policies.ts";
import { openStack, stackConfig } from "../stack/workspace.ts";
import { preview } from "./preview.ts";
import { progress, say } from "./progress.ts";

export interface AwsUpOptions {
  stack: string;
  auth: Settings["auth"];
  /** Whether people sign in with a passkey or password of the server. */
  localSignIn: boolean;
  /** Machine-readable output: progress goes to standard error, one line each. */
  json: boolean;
  /** Decides whether these changes are made. */
  confirm: (changes: Changes) => Promise<boolean>;
}

export interface AwsUpResult {
  stack: string;
  url: string;
  auth: Settings["auth"];
  changes: Changes;
  /** Only when nobody could sign in before, and people can (setting `auth: oauth`). */
  enrolment?: Enrolment;
  /** Why the machine could not be asked for the owner's link. The stack itself is up. */
  enrolmentProblem?: string;
}

/**
 * Brings a stack in AWS up, as `pulumi up` does: preview, confirmation, update, all held to the policies. The owner's link comes from the first machine, over the tunnel of
 * EC2 Instance Connect: it passes neither the engine nor its state.
 *
 * @returns undefined when the changes were not confirmed
 * @throws EngineError when the preview or the update fails
 */
export async function upAws(
  { stack, auth, localSignIn, json, confirm }: AwsUpOptions,
  signal: AbortSignal,
): Promise<AwsUpResult | undefined> {
  const planned = await preview({ stack, overrides: {}, json }, signal);
  if (!noChanges(planned) && !(await confirm(planned))) return undefined;
  const result: AwsUpResult = { stack, url: "", auth, changes: {} };
  const tasks = new Listr<{ opened?: Stack }>(
    [
      {
        title: `Pulumi up: stack ${stack}`,
        task: async (_, task) => {
          const opened = await openStack(stack, await ensureEngine(say(task)));
          const lines = eventLines(say(task));
          const { outputs } = await lines.explain(async () =>
            opened.up({
              onEvent: lines.onEvent,
              signal,
              policyPacks: policyPacks(await stackConfig(stack)),
            }),
          );
          result.url = outputs.url?.value;
          result.changes = lines.changes;
        },
      },
      {
        title: "Owner",
        enabled: auth === "oauth" && localSignIn,
        task: async (_, task) => {
          Object.assign(result, await ownersLink(await machineRef(stack)));
          if (result.enrolment) task.title = "Owner added";
          else
            task.title = result.enrolmentProblem
              ? "Owner: the machine could not be asked"
              : "Owner: there are people already";
        },
      },
    ],
    progress(json),
  );
  await tasks.run({});
  return result;
}

/** The update has succeeded whatever happens here: without the AWS CLI, or with `shell: none`, there is no tunnel. */
export async function ownersLink(
  ref: MachineRef,
): Promise<Pick<AwsUpResult, "enrolment" | "enrolmentProblem">> {
  try {
    const enrolment = await enrolOwner(ref);
    return enrolment ? { enrolment } : {};
  } catch (error) {
    return { enrolmentProblem: (error as Error).message };
  }
}
