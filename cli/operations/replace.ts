import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { Listr } from "listr2";
import type { MachineOutput } from "../../infra/aws/index.ts";
import { parseSettings, rawSettings } from "../../infra/settings.ts";
import { ensureEngine } from "../engine/index.ts";
import { pickMachine } from "../machine/pick.ts";
import { type Changes, eventLines } from "../stack/engine-events.ts";
import { policyPacks } from "../stack/policies.ts";
import { openStack, stackConfig } from "../stack/workspace.ts";
import { progress, say } from "./progress.ts";
import { up } from "./up.ts";

export interface ReplaceOptions {
  stack: string;
  /** Id of an instance, a number from 1, or `edge` or `origin` where the stack has these two. Default: every machine, one after the other. */
  machine?: string;
  json: boolean;
}

/**
 * Replace machines by new ones from the newest image; their addresses and data volumes stay. In AWS each machine is an `up` of its
 * own: it ends when the new machine runs the deployment and answers, and only then is the next machine replaced.
 *
 * @returns what each `up` changed, one entry for each machine
 * @throws Error when the stack has no such machine; EngineError when an `up` fails, which leaves the machines after it untouched
 */
export async function replace(options: ReplaceOptions, signal: AbortSignal): Promise<Changes[]> {
  const { stack, machine, json } = options;
  const config = await stackConfig(stack);
  if (parseSettings(rawSettings(config), stack).target === "local") {
    if (machine !== undefined && machine !== "1")
      throw new Error(`Stack ${stack} is on this host and has one machine. Leave out ${machine}.`);
    return [(await up({ stack, overrides: {}, json, replace: true }, signal)).changes];
  }
  const done: Changes[] = [];
  const tasks = new Listr<{ opened?: Stack; chosen?: MachineOutput[] }>(
    [
      {
        title: `Machines of stack ${stack}`,
        task: async (context, task) => {
          const opened = await openStack(stack, await ensureEngine(say(task)));
          const { machines } = await opened.outputs();
          context.opened = opened;
          context.chosen = chosenMachines((machines?.value ?? []) as MachineOutput[], stack, machine);
        },
      },
      {
        title: "Replace",
        task: ({ opened, chosen = [] }, parent) =>
          parent.newListr(
            chosen.map(({ instance, urn }) => ({
              title: `Replace ${instance}`,
              task: async (_, task) => {
                const lines = eventLines(say(task));
                await lines.explain(async () =>
                  (opened as Stack).up({
                    replace: [urn],
                    onEvent: lines.onEvent,
                    signal,
                    policyPacks: policyPacks(config),
                  }),
                );
                done.push(lines.changes);
              },
            })),
          ),
      },
    ],
    progress(json),
  );
  await tasks.run({});
  return done;
}

/** @throws Error that lists the machines when the wanted one is not among them, or when there is none */
export function chosenMachines(machines: MachineOutput[], stack: string, machine?: string): MachineOutput[] {
  const picked = pickMachine(machines, { stack, wanted: machine });
  return machine === undefined ? machines : [picked];
}
