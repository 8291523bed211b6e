import { existsSync } from "node:fs";
import { join } from "node:path";
import { Listr } from "listr2";
import { assertHost } from "../../infra/local/host.ts";
import { sweep } from "../../infra/local/sweep.ts";
import { home } from "../../infra/paths.ts";
import { ensureEngine } from "../engine/index.ts";
import { eventLines } from "../stack/engine-events.ts";
import { awaitLeftovers } from "../stack/leftovers.ts";
import { targetOf } from "../stack/team.ts";
import { forgetStack, inState, openStack, stackConfig } from "../stack/workspace.ts";
import { progress, say } from "./progress.ts";

/**
 * Removes a stack of this host: first what the engine knows of, then processes, mounts and network, then our files.
 * Only the cache stays (root filesystem, engine, releases).
 * @throws Error with the command to run for a stack in AWS
 */
export async function down(
  { stack, json }: { stack: string; json: boolean },
  signal: AbortSignal,
): Promise<{ removed: boolean }> {
  if (targetOf(await stackConfig(stack)) === "aws")
    throw new Error(`Stack ${stack} is in AWS. Remove it: pulumi destroy --stack ${stack} (docs/aws.md)`);
  const known = inState(stack);
  if (!known && !existsSync(join(home, "stacks", stack))) return { removed: false };
  assertHost();
  const tasks = new Listr(
    [
      {
        title: `Pulumi destroy: stack ${stack}`,
        enabled: () => known,
        task: async (_, task) => {
          const opened = await openStack(stack, await ensureEngine(say(task)), { runsProgram: false });
          const lines = eventLines(say(task));
          await lines.explain(() => opened.destroy({ onEvent: lines.onEvent, signal }));
          await opened.workspace.removeStack(stack);
        },
      },
      {
        title: "Processes, mounts, network, files",
        task: async () => {
          await awaitLeftovers(stack);
          await sweep(stack);
          await forgetStack(stack);
        },
      },
    ],
    // a destroy that fails must not keep the rest
    { ...progress(json), exitOnError: false },
  );
  await tasks.run();
  if (tasks.errors.length > 0) throw tasks.errors[0];
  return { removed: true };
}
