import { existsSync } from "node:fs";
import { copyFile, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { poll } from "../exec.ts";
import { sha256Of } from "../official-node.ts";
import { askReadyz } from "../readyz.ts";
import { tail } from "./daemon.ts";
import {
  consoleLog,
  dataFolder,
  forwarderOf,
  freshIdentity,
  type Guest,
  guestOf,
  inGuest,
  isForwarder,
  isRunning,
  machineFolder,
  mountRoot,
  rootOf,
  startGuest,
  stopGuest,
  unmountRoot,
  waitForInit,
} from "./guest.ts";
import { machineAddress, type Network, networkOf, originAddress } from "./network.ts";
import { ensureRootfs } from "./rootfs.ts";
import { writeSeed } from "./seed.ts";
import { placeSecret, pushWorkspace } from "./workspace.ts";

export interface MachineInputs {
  stack: string;
  domain: string;
  networkIndex: number;
  /** gzip of the cloud-config document, base64. */
  userData: string;
  /** The release's archive on this host; its file name is its hash. */
  releaseArchive: string;
  /** Bundle on this host of the repository to serve, or "" if the machine clones a URL. */
  workspaceBundle: string;
  /** Credentials for the unit that fetches a private workspace, secret; "" for none. */
  workspaceCredentials: string;
  /** Client secrets for the server, secret; "" for none. */
  identityProviderSecrets: string;
  /** PEM file of the roots that the edge's certificate must verify against. */
  rootsFile: string;
  /** Behind a forwarder. Default: no. */
  isOrigin?: boolean;
}

/** The inputs of a machine. They are written when the machine is complete, so that an incomplete one is recreated. */
interface Record {
  networkIndex: number;
  /** Records of earlier versions have none. */
  isOrigin?: boolean;
  rootfs: string;
  /** Its first boot has succeeded. */
  ready: boolean;
}

const recordFile = (stack: string) => join(machineFolder(stack), "machine.json");

async function recorded(stack: string): Promise<Record | undefined> {
  const text = await readFile(recordFile(stack), "utf8").catch(() => "");
  return text ? (JSON.parse(text) as Record) : undefined;
}

/** Creates the machine or starts the existing one, and waits until it answers with its certificate. */
export async function ensureMachine(inputs: MachineInputs, log: (line: string) => void) {
  const { stack } = inputs;
  const network = networkOf(inputs.networkIndex);
  const guest = guestOf(stack, network);
  const before = await recorded(stack);
  // A running first boot is waited for. One that failed or was interrupted is repeated.
  const booting = (await isRunning(guest)) && !existsSync(cloudInitResult(stack));
  await makeRoom(stack, network, inputs.isOrigin ?? false);
  const fits =
    before &&
    existsSync(before.rootfs) &&
    before.networkIndex === network.index &&
    (before.isOrigin ?? false) === (inputs.isOrigin ?? false);
  const usable = fits && (before.ready || booting);
  const running = usable && (await isRunning(guest));
  if (!usable) {
    if (before) await stopGuest(guestOf(stack, networkOf(before.networkIndex)));
    await discard(stack);
    await make(inputs, network, log);
  } else {
    await mountRoot(stack, before.rootfs);
  }
  if (!running) await startAndWaitForInit(guest, log);
  if (!running || !before?.ready) await waitUntilReady(guest, inputs, log);
  await record(stack, { ready: true });
  return { ...(inputs.isOrigin ? originAddress(network) : machineAddress(network)), name: guest.name };
}

/** After a change of the topology: stops the other machine that had the public addresses. */
async function makeRoom(stack: string, network: Network, isOrigin: boolean): Promise<void> {
  if (isForwarder(stack)) {
    const server = stack.slice(0, stack.indexOf("/"));
    const before = await recorded(server);
    if (before && !before.isOrigin) await stopGuest(guestOf(server, network));
  } else if (!isOrigin && (await recorded(forwarderOf(stack)))) {
    await stopGuest(guestOf(forwarderOf(stack), network));
    await discard(forwarderOf(stack));
  }
}

async function record(stack: string, change: Partial<Record>): Promise<void> {
  await writeFile(recordFile(stack), JSON.stringify({ ...(await recorded(stack)), ...change }));
}

async function make(inputs: MachineInputs, network: Network, log: (line: string) => void): Promise<void> {
  const { stack, isOrigin = false } = inputs;
  const rootfs = await ensureRootfs(log);
  await mountRoot(stack, rootfs.path);
  await freshIdentity(stack);
  if (inputs.releaseArchive) await placeArchive(stack, inputs.releaseArchive);
  if (inputs.workspaceBundle) await pushWorkspace(stack, inputs.workspaceBundle);
  await placeSecret(stack, "workspace-credentials", inputs.workspaceCredentials);
  await placeSecret(stack, "identity-provider-secrets", inputs.identityProviderSecrets);
  await writeSeed(rootOf(stack), stack, network, Buffer.from(inputs.userData, "base64"), isOrigin);
  await record(stack, { networkIndex: network.index, rootfs: rootfs.path, ready: false, isOrigin });
}

/**
 * Puts a complete archive where the machine's deploy script expects it. After a crash of the host an existing archive
 * may be damaged, so it is compared with the original.
 */
export async function placeArchive(stack: string, archive: string): Promise<void> {
  const incoming = join(dataFolder(stack), "incoming");
  await mkdir(incoming, { recursive: true });
  const target = join(incoming, basename(archive));
  if ((await sha256Of(target)) === (await sha256Of(archive))) return;
  await copyFile(archive, `${target}.partial`);
  const copy = await open(`${target}.partial`, "r+");
  await copy.sync().finally(() => copy.close());
  await rename(`${target}.partial`, target);
}

/** Output of cloud-init at each boot that does not explain a failure: host keys and their images. */
const NOISE =
  /SSH HOST KEY|ssh_host_|^(ssh|ecdsa)-|SHA256:|fingerprints|randomart|^[|+].*[|+]$|public\/private|#####/;

const cloudInitResult = (stack: string) => join(rootOf(stack), "var/lib/cloud/data/result.json");

async function startAndWaitForInit(guest: Guest, log: (line: string) => void): Promise<void> {
  await rm(cloudInitResult(guest.stack), { force: true });
  await startGuest(guest);
  if (await waitForInit(guest)) {
    log("booted; cloud-init runs");
    return;
  }
  throw new Error(`The guest did not boot. Its console:\n  ${await tail(consoleLog(guest.stack), 25)}`);
}

async function waitUntilReady(guest: Guest, inputs: MachineInputs, log: (line: string) => void) {
  const output = join(rootOf(guest.stack), "var/log/cloud-init-output.log");
  const stop = follow(output, log);
  try {
    const limit = 600_000; // a machine from a bare image installs packages first
    const done = await poll(limit, async () => {
      if (!(await isRunning(guest))) return false;
      return existsSync(cloudInitResult(guest.stack)) || undefined;
    });
    if (!done) throw new Error(done === false ? "the guest stopped" : "cloud-init did not end within 10 min");
    await assertCloudInit(guest);
    if (isForwarder(guest.stack)) return;
    log("cloud-init is done; waiting for the edge's certificate");
    await waitForEdge(inputs, log);
  } catch (error) {
    const lines = await tail(output, 25, NOISE);
    throw new Error(`${(error as Error).message}\nThe machine's last log lines:\n  ${lines}`);
  } finally {
    stop();
  }
}

/** "degraded done" (exit code 2) means that cloud-init ignored an error. It is a failure here. */
async function assertCloudInit(guest: Guest): Promise<void> {
  const status = ["cloud-init", "status", "--format", "json"];
  const { stdout } = await inGuest(guest, status, { accept: [0, 1, 2] });
  const report = JSON.parse(stdout) as { extended_status?: string; status: string; errors?: string[] };
  const state = report.extended_status ?? report.status;
  if (state !== "done") throw new Error(`cloud-init ended as "${state}": ${JSON.stringify(report.errors)}`);
}

/** @returns undefined when the edge is ready under a certificate of the roots `ca`, else what is wrong */
function edgeProblem(address: string, domain: string, ca: string): Promise<string | undefined> {
  return askReadyz(address, domain, { ca, timeout: 3_000 }).then(
    (status) => (status === 200 ? undefined : `/readyz answers ${status}`),
    ({ code, message }: NodeJS.ErrnoException) =>
      code === "DEPTH_ZERO_SELF_SIGNED_CERT"
        ? "it still serves the self-signed bootstrap certificate"
        : message,
  );
}

async function waitForEdge(inputs: MachineInputs, log: (line: string) => void): Promise<void> {
  const { ipv4 } = machineAddress(networkOf(inputs.networkIndex));
  let last = "";
  const ready = await poll(120_000, async () => {
    const ca = await readFile(inputs.rootsFile, "utf8");
    const problem = await edgeProblem(ipv4, inputs.domain, ca);
    if (problem && problem !== last) log(`not yet: ${problem}`);
    last = problem ?? "";
    return problem === undefined ? true : undefined;
  });
  if (!ready) throw new Error(`https://${inputs.domain}/readyz was not ready within 120 s: ${last}`);
}

/** Logs the machine's own progress lines (`mcp-edge-…: …`) from its boot log as they appear. */
function follow(file: string, log: (line: string) => void): () => void {
  let seen: number | undefined;
  const timer = setInterval(async () => {
    const text = await readFile(file, "utf8").catch(() => "");
    // A machine that boots again still has the log of its earlier boots.
    seen ??= text.length > 50_000 ? text.length : 0;
    const end = text.lastIndexOf("\n") + 1;
    for (const line of text.slice(seen, end).split("\n")) if (/^mcp-edge-[a-z]+: /.test(line)) log(line);
    seen = Math.max(seen, end);
  }, 250);
  return () => clearInterval(timer);
}

/** Why the machine needs repair, or undefined. */
export async function machineProblem(inputs: MachineInputs): Promise<string | undefined> {
  const before = await recorded(inputs.stack);
  if (!before) return "it is incomplete";
  if (before.networkIndex !== inputs.networkIndex) return "its network changed";
  if ((before.isOrigin ?? false) !== (inputs.isOrigin ?? false)) return "the topology changed";
  if (!before.ready) return "its first boot has not succeeded";
  const running = await isRunning(guestOf(inputs.stack, networkOf(inputs.networkIndex)));
  return running ? undefined : "it does not run";
}

export async function discard(stack: string): Promise<void> {
  await unmountRoot(stack);
  await rm(machineFolder(stack), { recursive: true, force: true });
}

/** Powers off and removes the machine. Its data folder stays, so that a replacement machine has the certificates and tokens. */
export async function removeMachine(stack: string, networkIndex: number): Promise<void> {
  await stopGuest(guestOf(stack, networkOf(networkIndex)));
  await discard(stack);
}
