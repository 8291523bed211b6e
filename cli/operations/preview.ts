import { Listr } from "listr2";
import { parseSettings, rawSettings } from "../../infra/settings.ts";
import { ensureEngine } from "../engine/index.ts";
import { type Changes, eventLines } from "../stack/engine-events.ts";
import { policyPacks } from "../stack/policies.ts";
import { type Overrides, openStack, stackConfig } from "../stack/workspace.ts";
import { progress } from "./progress.ts";

export interface PreviewOptions {
  stack: string;
  overrides: Overrides;
  json: boolean;
}

/** What `up` would change, held to the policies; changes nothing. @throws EngineError that names what a mandatory policy refuses */
export async function preview(options: PreviewOptions, signal: AbortSignal): Promise<Changes> {
  const { stack } = options;
  const config = await stackConfig(stack, options.overrides);
  parseSettings(rawSettings(config), stack);
  let changes: Changes = {};
  const tasks = new Listr(
    [
      {
        title: `Pulumi preview: stack ${stack}`,
        task: async (_, task) => {
          const say = (line: string) => {
            task.output = line;
          };
          const opened = await openStack(stack, await ensureEngine(say), options.overrides);
          const lines = eventLines(say, { preview: true });
          await lines.explain(() =>
            opened.preview({ onEvent: lines.onEvent, signal, policyPacks: policyPacks(config) }),
          );
          changes = lines.changes;
        },
        rendererOptions: { persistentOutput: true, outputBar: Number.POSITIVE_INFINITY },
      },
    ],
    progress(options.json),
  );
  await tasks.run();
  return changes;
}
