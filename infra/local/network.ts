import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { BlockList } from "node:net";
import { join } from "node:path";
import { run, succeeds } from "../exec.ts";
import { stackFolder } from "../paths.ts";

/**
 * One stack's network on the host: a bridge `mcpe<N>` with 10.77.N.0/24 and fd77:6564:6765:N::/64, and NAT for IPv4.
 * systemd-nspawn creates the guest's end of it (`host0`).
 */
export interface Network {
  index: number;
  bridge: string;
  /** First three bytes, e.g. "10.77.0". */
  net4: string;
  /** First four groups, e.g. "fd77:6564:6765:0". */
  net6: string;
}

export function networkOf(index: number): Network {
  return {
    index,
    bridge: `mcpe${index}`,
    net4: `10.77.${index}`,
    net6: `fd77:6564:6765:${index.toString(16)}`,
  };
}

/** The stack's public addresses: its machine's, or those of its forwarder. */
export const machineAddress = (n: Network) => ({ ipv4: `${n.net4}.10`, ipv6: `${n.net6}::10` });
/** With `edge: passthrough`. Its network is a /31 and a /127 with the forwarder alone, which is its gateway. */
export const originAddress = (n: Network) => ({ ipv4: `${n.net4}.11`, ipv6: `${n.net6}::11` });
export const authorityAddress = (n: Network) => ({ ipv4: `${n.net4}.2`, ipv6: `${n.net6}::2` });

/** Whether any of these destinations (CIDRs, as `ip -j route` prints them) overlaps the network's IPv4 range. */
export function overlaps(network: Network, destinations: string[]): boolean {
  const ours = new BlockList();
  ours.addSubnet(`${network.net4}.0`, 24, "ipv4");
  return destinations.some((destination) => {
    const [address = "", bits = "32"] = destination.split("/");
    if (address === "default" || !/^\d+\.\d+\.\d+\.\d+$/.test(address)) return false;
    const theirs = new BlockList();
    theirs.addSubnet(address, Number(bits), "ipv4");
    return ours.check(address, "ipv4") || theirs.check(`${network.net4}.0`, "ipv4");
  });
}

const recordOf = (stack: string) => join(stackFolder(stack), "network.json");
const linkExists = (name: string) => existsSync(`/sys/class/net/${name}`);

async function recorded(stack: string): Promise<Network | undefined> {
  const text = await readFile(recordOf(stack), "utf8").catch(() => "");
  return text ? networkOf((JSON.parse(text) as Network).index) : undefined;
}

async function destinations(except: string): Promise<string[]> {
  const { stdout } = await run("ip", ["-j", "-4", "route", "show", "table", "all"]);
  const routes = JSON.parse(stdout || "[]") as { dst: string; dev?: string }[];
  return routes.filter((route) => route.dev !== except).map((route) => route.dst);
}

/** Claims a bridge. Creating the link is atomic, so two stacks that start together get two networks. */
async function claim(stack: string): Promise<Network> {
  const before = await recorded(stack);
  const candidates = [...(before ? [before.index] : []), ...Array.from({ length: 256 }, (_, i) => i)];
  for (const index of candidates) {
    const network = networkOf(index);
    if (linkExists(network.bridge) && index === before?.index) return network;
    if (linkExists(network.bridge) || overlaps(network, await destinations(network.bridge))) continue;
    const link = ["link", "add", network.bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0"];
    if (!(await succeeds("ip", link))) continue;
    await writeFile(recordOf(stack), JSON.stringify({ index }));
    return network;
  }
  throw new Error(
    "No free network: 10.77.0.0/24 to 10.77.255.0/24 are all in use on this host (`ip route`).",
  );
}

const natTable = (n: Network) => `
table ip ${n.bridge}
delete table ip ${n.bridge}
table ip ${n.bridge} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname != "${n.bridge}" ip saddr ${n.net4}.0/24 ip daddr != ${n.net4}.0/24 masquerade
  }
}
`;

const FORWARD = "/proc/sys/net/ipv4/ip_forward";
/**
 * The users of IP forwarding: a file for each bridge, of all checkouts on the host, since they share the kernel's switch. Like the
 * switch, the files do not survive a reboot.
 */
const FORWARD_USERS = "/run/mcp-edge-local";
const FORWARD_WAS_OFF = join(FORWARD_USERS, "ip-forward-was-off");

async function needForwarding({ bridge }: Network): Promise<void> {
  await mkdir(FORWARD_USERS, { recursive: true });
  await writeFile(join(FORWARD_USERS, bridge), "");
  if ((await readFile(FORWARD, "utf8")).trim() !== "0") return;
  await writeFile(FORWARD_WAS_OFF, "");
  await writeFile(FORWARD, "1");
}

/** The last user turns forwarding off again, if it was off before the first. */
async function leaveForwarding({ bridge }: Network): Promise<void> {
  await rm(join(FORWARD_USERS, bridge), { force: true });
  const users = (await readdir(FORWARD_USERS).catch(() => [])).filter(linkExists);
  if (users.length > 0) return;
  if (existsSync(FORWARD_WAS_OFF)) await writeFile(FORWARD, "0");
  await rm(FORWARD_USERS, { recursive: true, force: true });
}

/** Creates the network, or its missing parts. */
export async function ensureNetwork(stack: string): Promise<Network> {
  const network = await claim(stack);
  const { bridge, net4, net6 } = network;
  await run("ip", ["addr", "replace", `${net4}.1/24`, "dev", bridge]);
  await succeeds("ip", ["-6", "addr", "replace", `${net6}::1/64`, "dev", bridge, "nodad"]);
  await run("ip", ["link", "set", bridge, "up"]);
  await needForwarding(network);
  await run("nft", ["-f", "-"], { input: natTable(network) });
  return network;
}

/** Why the network needs repair, or undefined. */
export async function networkProblem(stack: string): Promise<string | undefined> {
  const network = await recorded(stack);
  if (!network) return "no network is recorded";
  if (!linkExists(network.bridge)) return `bridge ${network.bridge} is gone`;
  if (!(await succeeds("nft", ["list", "table", "ip", network.bridge]))) return "the NAT table is gone";
  return undefined;
}

export async function removeNetwork(stack: string): Promise<void> {
  const network = await recorded(stack);
  if (!network) return;
  await succeeds("ip", ["link", "del", network.bridge]);
  await succeeds("nft", ["delete", "table", "ip", network.bridge]);
  await leaveForwarding(network);
  await rm(recordOf(stack), { force: true });
}

/** A network namespace on the bridge, which acts as a separate host, for the authority and the clients of tests. */
export async function ensureNamespace(network: Network, name: string, suffix: number): Promise<string> {
  const namespace = `${network.bridge}-${name}`;
  const { stdout } = await run("ip", ["netns", "list"]);
  if (stdout.split("\n").some((line) => line.split(" ")[0] === namespace)) return namespace;
  const ip = (...args: string[]) => run("ip", args);
  await succeeds("ip", ["link", "del", namespace]);
  await ip("netns", "add", namespace);
  await ip("link", "add", namespace, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  await ip("link", "set", namespace, "master", network.bridge, "up");
  await ip("-n", namespace, "link", "set", "lo", "up");
  await ip("-n", namespace, "addr", "add", `${network.net4}.${suffix}/24`, "dev", "eth0");
  await succeeds("ip", [
    "-n",
    namespace,
    "-6",
    "addr",
    "add",
    `${network.net6}::${suffix}/64`,
    "dev",
    "eth0",
    "nodad",
  ]);
  await ip("-n", namespace, "link", "set", "eth0", "up");
  await ip("-n", namespace, "route", "add", "default", "via", `${network.net4}.1`);
  return namespace;
}

/** Deletes the link first: deleting a namespace is asynchronous, and the link's name would stay in use. */
export async function removeNamespace(namespace: string): Promise<void> {
  await succeeds("ip", ["link", "del", namespace]);
  await succeeds("ip", ["netns", "del", namespace]);
}
