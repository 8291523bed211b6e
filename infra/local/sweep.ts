import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../exec.ts";
import { stackFolder } from "../paths.ts";
import { removeAuthority } from "./authority.ts";
import { forwarderOf, guestOf, machineFolder, stopGuest } from "./guest.ts";
import { removeHosts } from "./hosts-file.ts";
import { discard } from "./machine.ts";
import { type Network, networkOf, removeNamespace, removeNetwork } from "./network.ts";

async function networkIndex(stack: string): Promise<number | undefined> {
  // The network may be gone already. A forwarder is made before its origin.
  const machines = [stack, forwarderOf(stack)].map((name) => join(machineFolder(name), "machine.json"));
  for (const file of [join(stackFolder(stack), "network.json"), ...machines]) {
    if (!existsSync(file)) continue;
    const { index, networkIndex } = JSON.parse(await readFile(file, "utf8"));
    return index ?? networkIndex;
  }
  return undefined;
}

async function namespacesOf(network: Network): Promise<string[]> {
  const { stdout } = await run("ip", ["netns", "list"]);
  const names = stdout.split("\n").map((line) => line.split(" ")[0] ?? "");
  return names.filter((name) => name.startsWith(`${network.bridge}-`));
}

/**
 * Removes everything that a stack has on this host, according to the files on the disk. An `up` that was killed may
 * not have recorded in the engine's state what it created. A second call does nothing.
 */
export async function sweep(stack: string): Promise<void> {
  const index = await networkIndex(stack);
  const network = index === undefined ? undefined : networkOf(index);
  for (const machine of [stack, forwarderOf(stack)]) {
    if (network) await stopGuest(guestOf(machine, network));
    await discard(machine);
  }
  await removeAuthority(stack, network);
  for (const namespace of network ? await namespacesOf(network) : []) await removeNamespace(namespace);
  await removeNetwork(stack);
  await removeHosts(stack);
  await rm(stackFolder(stack), { recursive: true, force: true });
}
