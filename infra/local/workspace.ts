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

/** Puts a secret on the machine, readable by root only, where a unit loads it as a credential. "" removes it. */
export async function placeSecret(
  stack: string,
  name: "workspace-credentials" | "identity-provider-secrets",
  secret: string,
): Promise<void> {
  const folder = join(rootOf(stack), "etc/mcp-edge");
  const target = join(folder, name);
  if (secret === "") return rm(target, { force: true });
  await mkdir(folder, { recursive: true });
  await rm(`${target}.new`, { force: true });
  await writeFile(`${target}.new`, secret, { mode: 0o600 });
  await rename(`${target}.new`, target);
}
