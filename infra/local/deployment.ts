import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { poll, type RunOptions } from "../exec.ts";
import { guestOf, inGuest, isRunning, machineFolder } from "./guest.ts";
import { placeArchive } from "./machine.ts";
import { networkOf } from "./network.ts";
import { placeSecret, pushWorkspace } from "./workspace.ts";

/** What must be on the machine. The hash of its content identifies each part. */
export interface DeploymentInputs {
  stack: string;
  networkIndex: number;
  release: string;
  releaseArchive: string;
  files: string;
  filesArchive: string;
  /** Identity of the pushed workspace; "" if the machine clones a URL. */
  workspaceHead: string;
  /** Its bundle on this host, or "". */
  workspaceBundle: string;
  /** Credentials for the unit that fetches a private workspace, secret; "" for none. */
  workspaceCredentials: string;
  /** Client secrets for the server, secret; "" for none. Stacks of earlier versions have none in their state. */
  identityProviderSecrets?: string;
}

/** The record of the last successful deployment. */
interface Deployed {
  release?: string;
  files?: string;
  workspaceHead?: string;
  /** sha256 of the credentials, which must not be in the record themselves. */
  credentials?: string;
  /** The same of the client secrets. Records of earlier versions have none. */
  identityProviderSecrets?: string;
}

const recordFile = (stack: string) => join(machineFolder(stack), "deployed.json");

async function deployed(stack: string): Promise<Deployed> {
  return JSON.parse(await readFile(recordFile(stack), "utf8").catch(() => "{}"));
}

async function record(stack: string, done: Deployed): Promise<void> {
  const all = { ...(await deployed(stack)), ...done };
  await writeFile(recordFile(stack), JSON.stringify(all));
}

const wantedOf = (inputs: DeploymentInputs): Deployed => ({
  release: inputs.release,
  files: inputs.files,
  workspaceHead: inputs.workspaceHead,
  credentials: hashOf(inputs.workspaceCredentials),
  identityProviderSecrets: hashOf(inputs.identityProviderSecrets ?? ""),
});

const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");

/** The parts that the machine has in another version. */
export async function outdated(inputs: DeploymentInputs): Promise<(keyof Deployed)[]> {
  const there = await deployed(inputs.stack);
  const wanted = wantedOf(inputs);
  const parts = ["files", "workspaceHead", "credentials", "identityProviderSecrets", "release"] as const;
  const known = { identityProviderSecrets: hashOf(""), ...there };
  return parts.filter((part) => known[part] !== wanted[part]);
}

/**
 * Updates files and release, then the workspace, on the running machine by its own scripts. Files and release succeed together or
 * are rolled back together.
 */
export async function ensureDeployed(inputs: DeploymentInputs, log: (line: string) => void): Promise<object> {
  const { stack } = inputs;
  const guest = guestOf(stack, networkOf(inputs.networkIndex));
  const inside = (...command: string[]) =>
    inGuest(guest, command, {
      timeout: 180_000,
      onLine: (line) => log(line.replace(/^mcp-edge-deploy: /, "")),
    });
  // A machine that this update created has everything from its user-data.
  const fresh = !existsSync(recordFile(stack));
  const stale = fresh ? [] : await outdated(inputs);
  const parts: [string, string, string][] = [
    ["files", inputs.filesArchive, inputs.files],
    ["release", inputs.releaseArchive, inputs.release],
  ];
  const changed = parts.filter(([part]) => stale.includes(part as keyof Deployed));
  for (const [, archive] of changed) await placeArchive(stack, archive);
  // There before the server that reads it starts, and until the last one is gone.
  const { identityProviderSecrets = "" } = inputs;
  const newSecrets = stale.includes("identityProviderSecrets");
  const place = () => placeSecret(stack, "identity-provider-secrets", identityProviderSecrets);
  if (newSecrets && identityProviderSecrets) await place();
  if (newSecrets && identityProviderSecrets && changed.length === 0)
    await inside("/usr/local/sbin/mcp-edge-deploy", "restart");
  if (changed.length > 0) {
    const command = changed.length === 2 ? "both" : (changed[0]?.[0] ?? "");
    await inside("/usr/local/sbin/mcp-edge-deploy", command, ...changed.map(([, , hash]) => hash));
  }
  if (newSecrets && !identityProviderSecrets) await place();
  if (stale.includes("credentials"))
    await placeSecret(stack, "workspace-credentials", inputs.workspaceCredentials);
  if (stale.includes("workspaceHead") && inputs.workspaceBundle)
    await pushWorkspace(stack, inputs.workspaceBundle);
  const other = inputs.workspaceBundle ? "workspaceHead" : "credentials";
  if (stale.includes(other) && (inputs.workspaceBundle || inputs.workspaceCredentials))
    await inside("/usr/local/sbin/mcp-edge-workspace");
  await record(stack, wantedOf(inputs));
  return {};
}

/** Why the deployment needs another run, or undefined. */
export async function deploymentProblem(inputs: DeploymentInputs): Promise<string | undefined> {
  const stale = await outdated(inputs);
  return stale.length > 0 ? `outdated: ${stale.join(", ")}` : undefined;
}

/**
 * Runs a program on a stack's machine as root.
 *
 * @returns its standard output
 * @throws Error when the machine does not run, or the program fails
 */
export async function onMachine(
  stack: string,
  networkIndex: number,
  command: string[],
  options: RunOptions = {},
): Promise<string> {
  const guest = guestOf(stack, networkOf(networkIndex));
  if (!(await poll(5_000, async () => (await isRunning(guest)) || undefined))) {
    throw new Error(`Machine ${stack} does not run. Start it: npm run up`);
  }
  return (await inGuest(guest, command, options)).stdout;
}
