import { copyFile, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { dataFolder } from "./guest.ts";

/** Put the workspace's bundle on the machine's data volume; whole or not at all. */
export async function pushWorkspace(stack: string, bundle: string): Promise<void> {
  const incoming = join(dataFolder(stack), "incoming");
  await mkdir(incoming, { recursive: true });
  const target = join(incoming, "workspace.bundle");
  await copyFile(bundle, `${target}.partial`);
  await rename(`${target}.partial`, target);
}
