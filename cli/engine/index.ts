import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../infra/local/lock.ts";
import { cacheFolder, projectRoot } from "../../infra/paths.ts";
import { reasonOf } from "../../infra/reason-of.ts";
import { buildEngine, canBuild } from "./build.ts";
import { downloadEngine } from "./download.ts";
import { ENGINE_VERSION, type Engine, engineFolder, findEngine } from "./find.ts";

/**
 * A Pulumi engine from the first source that has one: PATH, the cache, the official download, or a build of its Go module.
 * @throws Error that names each source and why it failed
 */
export async function ensureEngine(log: (line: string) => void): Promise<Engine> {
  const found = await findEngine();
  if (found) return found;
  const folder = engineFolder();
  return withLock(`${folder}.lock`, async () => {
    const meanwhile = await findEngine();
    if (meanwhile) return meanwhile;
    log(`no pulumi on PATH: downloading v${ENGINE_VERSION}`);
    const failed = await downloadEngine(folder, log).then(
      () => undefined,
      (error: Error) => error,
    );
    if (!failed) return { folder, version: ENGINE_VERSION, origin: "download" };
    const why = `the download failed (${reasonOf(failed)})`;
    if (!canBuild()) {
      throw new Error(
        `There is no Pulumi engine: none on PATH, ${why}, and there is no Go to build one. ` +
          "Install it: https://www.pulumi.com/docs/install/",
      );
    }
    log(`${why}; building it from its Go module instead`);
    await buildEngine(folder, log);
    return { folder, version: ENGINE_VERSION, origin: "build" };
  });
}

/**
 * A folder with the plugin that runs dynamic resources, for an engine that does not include it (a built one). It starts the
 * dynamic-provider process of this project's own SDK.
 */
export async function dynamicProviderFolder(engine: Engine): Promise<string | undefined> {
  const name = "pulumi-resource-pulumi-nodejs";
  if (existsSync(join(engine.folder, name))) return undefined;
  const folder = cacheFolder("plugins");
  await mkdir(folder, { recursive: true });
  const host = join(projectRoot, "node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js");
  await writeFile(join(folder, name), `#!/bin/sh\nexec node "${host}" "$@"\n`);
  await chmod(join(folder, name), 0o755);
  return folder;
}
