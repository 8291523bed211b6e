import { copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dataFolder, rootOf } from "./guest.ts";

/** Puts the workspace's bundle on the machine's data volume, atomically. */
export async function pushWorkspace(stack: string, bundle: string): Promise<void> {
  const incoming = join(dataFolder(stack), "incoming");
  await mkdir(incoming, { recursive: true });
  const target = join(incoming, "workspace.bundle");
  await copyFile(bundle, `${target}.partial`);
  await rename(`${target}.partial`, target);
}

/** Puts the credentials of a private workspace on the machine, readable by root only. "" removes them. */
export async function placeCredentials(stack: string, credentials: string): Promise<void> {
  const folder = join(rootOf(stack), "etc/mcp-edge");
  const target = join(folder, "workspace-credentials");
  if (credentials === "") return rm(target, { force: true });
  await mkdir(folder, { recursive: true });
  await rm(`${target}.new`, { force: true });
  await writeFile(`${target}.new`, credentials, { mode: 0o600 });
  await rename(`${target}.new`, target);
}
