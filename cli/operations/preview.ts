import { Listr } from "listr2";
import { parseSettings, rawSettings } from "../../infra/settings.ts";
import { ensureEngine } from "../engine/index.ts";
import { type Changes, eventLines } from "../stack/engine-events.ts";
import type { Overrides } from "../stack/overrides.ts";
import { policyPacks } from "../stack/policies.ts";
import { openStack, stackConfig } from "../stack/workspace.ts";
import { progress, say } from "./progress.ts";

/** What `up` would change, held to the policies; changes nothing. @throws EngineError that names what a mandatory policy refuses */
export async function preview(
  { stack, overrides, json }: { stack: string; overrides: Overrides; json: boolean },
  signal: AbortSignal,
): Promise<Changes> {
  const config = await stackConfig(stack, overrides);
  parseSettings(rawSettings(config), stack);
  let changes: Changes = {};
  const tasks = new Listr(
    [
      {
        title: `Pulumi preview: stack ${stack}`,
        task: async (_, task) => {
          const opened = await openStack(stack, await ensureEngine(say(task)), { changes: overrides });
          const lines = eventLines(say(task), { preview: true });
          await lines.explain(() =>
            opened.preview({ onEvent: lines.onEvent, signal, policyPacks: policyPacks(config) }),
          );
          changes = lines.changes;
        },
        rendererOptions: { persistentOutput: true, outputBar: Number.POSITIVE_INFINITY },
      },
    ],
    progress(json),
  );
  await tasks.run();
  return changes;
}
