import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { writeBundle } from "../workspace.ts";
import { dataFolder } from "./guest.ts";

/** Put the repository's commits (not its uncommitted changes) on the machine's data volume, as one bundle. */
export async function pushWorkspace(stack: string, folder: string): Promise<void> {
  const incoming = join(dataFolder(stack), "incoming");
  await mkdir(incoming, { recursive: true });
  const target = join(incoming, "workspace.bundle");
  await writeBundle(folder, `${target}.partial`);
  await rename(`${target}.partial`, target);
}
