import { run, succeeds } from "../../../infra/exec.ts";
import type { Network } from "../../../infra/local/network.ts";
import type { Store } from "../store.ts";
import { type Props, text, texts } from "../values.ts";
import { partOf } from "./plan.ts";

/**
 * The router of the VPC: a subnet whose default route leads to a network interface sends its packets there, and an internet gateway does
 * so with what it delivers to such a subnet. All other routes are those of this host.
 */

const SUBNET = "aws:ec2/subnet:Subnet";
const INSTANCE = "aws:ec2/instance:Instance";
const ROUTE = "aws:ec2/route:Route";
const ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation";

/** Packets to `to` or from `from` go to an instance. */
export interface Detour {
  family: 4 | 6;
  /** Range of the subnet on this host. */
  from?: string;
  /** For the packets of an internet gateway. */
  to?: string;
  /** Address of the instance that has the interface. */
  via: string;
}

const EVERYWHERE = { destinationCidrBlock: 4, destinationIpv6CidrBlock: 6 } as const;

/** The detours of the account. A route to an interface without an instance leads nowhere, as in EC2 ("blackhole"). Pure. */
export function detours(store: Store): Detour[] {
  const instances = store.all(INSTANCE);
  const holder = (id: string) => instances.find(({ outs }) => outs.primaryNetworkInterfaceId === id)?.outs;
  const subnets = store.all(SUBNET);
  return store.all(ASSOCIATION).flatMap(({ inputs: { routeTableId, subnetId, gatewayId } }) =>
    store.all(ROUTE).flatMap(({ inputs: route }): Detour[] => {
      if (route.routeTableId !== routeTableId || !route.networkInterfaceId) return [];
      const edge = holder(text(route, "networkInterfaceId"));
      const [key, family] = Object.entries(EVERYWHERE).find(([name]) => route[name]) ?? ["", 4 as const];
      if (!edge) return [];
      const via = family === 4 ? text(edge, "privateIp") : (texts(edge, "ipv6Addresses")[0] ?? "");
      if (gatewayId) return [{ family, to: text(route, key), via }];
      const subnet = subnets.find(({ id }) => id === subnetId);
      const member = instances.find(({ outs }) => outs.subnetId === subnetId)?.outs;
      const from = family === 4 ? rangeOf(member) : text(subnet?.inputs ?? {}, "ipv6CidrBlock");
      return from ? [{ family, from, via }] : [];
    }),
  );
}

/** Where the instances of a subnet are on this host. */
const rangeOf = (member: Props | undefined) => member && partOf(text(member, "privateIp")).range;

/** Numbers of our rules and of our two tables: unique to the network. */
const tablesOf = ({ index }: Network) => ({
  subnet: String(17_000 + index),
  gateway: String(18_000 + index),
});

/** Removes all detours from this host. */
export async function forgetRoutes(network: Network): Promise<void> {
  for (const table of Object.values(tablesOf(network)))
    for (const family of ["-4", "-6"]) {
      while (await succeeds("ip", [family, "rule", "del", "pref", table]));
      await succeeds("ip", [family, "route", "flush", "table", table]);
    }
}

/** Applies the detours to this host. */
export async function convergeRoutes(network: Network, store: Store): Promise<void> {
  await forgetRoutes(network);
  const { bridge, net4 } = network;
  const tables = tablesOf(network);
  for (const { family, from, to, via } of detours(store)) {
    const table = to ? tables.gateway : tables.subnet;
    const ip = (...args: string[]) => run("ip", [`-${family}`, ...args]);
    const route = (range: string, ...where: string[]) =>
      ip("route", "replace", range, ...where, "dev", bridge, "table", table);
    await route("default", "via", via, "onlink");
    // From the outside, a packet comes from this host itself.
    if (to) await ip("rule", "add", "pref", table, "iif", "lo", "to", to, "lookup", table);
    if (!from) continue;
    // The rest of the VPC is reached as before. The tests' certificate authority is on the internet, although it is on the bridge.
    for (const range of family === 4 ? [`${net4}.0/24`] : subnetsOf(store)) await route(range);
    if (family === 4) await route(`${net4}.2/32`, "via", via, "onlink");
    await ip("rule", "add", "pref", table, "iif", bridge, "from", from, "lookup", table);
  }
}

const subnetsOf = (store: Store) =>
  store.all(SUBNET).flatMap(({ inputs }) => (inputs.ipv6CidrBlock ? [text(inputs, "ipv6CidrBlock")] : []));
