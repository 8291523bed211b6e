import { run } from "../../../infra/exec.ts";
import { type Network, networkOf } from "../../../infra/local/network.ts";
import { EIP, EIP_ASSOCIATION } from "../services/addresses.ts";
import { INSTANCE, INTERFACE } from "../services/instances.ts";
import { EGRESS, INGRESS } from "../services/security-groups.ts";
import { connectEndpoint } from "../services/vpc.ts";
import type { Store } from "../store.ts";
import { number, type Props, text, texts } from "../values.ts";
import { guestOfInstance } from "./instance.ts";
import { cloudOf, METADATA_PORT, partOf } from "./plan.ts";
import { convergeRoutes } from "./routes.ts";

/**
 * The cloud's packet filter as one nftables table: Elastic IPs are translated to instances, and what reaches or leaves an
 * instance must match a rule of its security groups. Traffic to and from an instance passes this host's IP layer, where the
 * table hooks in.
 */
export const tableOf = (network: Network) => `${network.bridge}_aws`;

/** The Instance Connect endpoint in the instances' network. */
const ENDPOINT_HOST = 3;

/** Its address; undefined if nothing boots here. */
export function endpointAddress(home: string): string | undefined {
  const cloud = cloudOf(home);
  return cloud && `${networkOf(cloud.networkIndex).net4}.${ENDPOINT_HOST}`;
}

export interface Wall {
  id: string;
  ipv4: string;
  ipv6: string[];
  publicIp: string | undefined;
  /** Whether EC2 lets it send and receive packets of others (source/destination check off). */
  forwards: boolean;
  /** The link of its guest on the bridge. */
  link: string;
  ingress: Props[];
  egress: Props[];
}

/** The instances with their rules, from the account's state. */
export function walls(store: Store): Wall[] {
  const of = (token: string, groups: string[]) =>
    store
      .all(token)
      .flatMap(({ inputs }) => (groups.includes(text(inputs, "securityGroupId")) ? spread(inputs) : []));
  const associations = store.all(EIP_ASSOCIATION);
  const endpoint = endpointAddress(store.home);
  const members = (group: string) => [
    ...store
      .all(INSTANCE)
      .filter(({ outs }) => texts(outs, "vpcSecurityGroupIds").includes(group))
      .map(({ outs }) => `${text(outs, "privateIp")}/32`),
    ...store
      .all(connectEndpoint.token)
      .filter(({ inputs }) => texts(inputs, "securityGroupIds").includes(group))
      .flatMap(() => (endpoint ? [`${endpoint}/32`] : [])),
  ];
  // A rule that references a group means the private addresses of its members.
  const spread = (rule: Props): Props[] =>
    rule.referencedSecurityGroupId === undefined
      ? [rule]
      : members(text(rule, "referencedSecurityGroupId")).map((cidrIpv4) => ({ ...rule, cidrIpv4 }));
  return store.all(INSTANCE).map(({ id, outs }) => {
    const groups = texts(outs, "vpcSecurityGroupIds");
    const association = associations.find(
      ({ inputs }) =>
        inputs.instanceId === id || inputs.networkInterfaceId === text(outs, "primaryNetworkInterfaceId"),
    );
    const held =
      store.get(EIP, text(association?.inputs ?? {}, "allocationId")) ??
      store
        .all(EIP)
        .find(
          ({ inputs }) =>
            inputs.instance === id || inputs.networkInterface === outs.primaryNetworkInterfaceId,
        );
    return {
      id,
      ipv4: text(outs, "privateIp"),
      ipv6: texts(outs, "ipv6Addresses"),
      publicIp: held ? text(held.outs, "publicIp") : undefined,
      forwards: store.get(INTERFACE, text(outs, "primaryNetworkInterfaceId"))?.outs.sourceDestCheck === false,
      link: `vb-${guestOfInstance(store.home, id).name}`,
      ingress: of(INGRESS, groups),
      egress: of(EGRESS, groups),
    };
  });
}

const PROTOCOLS: Record<string, string> = { "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6" };

/** One rule in nftables' syntax. `side` is the address that the CIDR is compared with: `saddr` for incoming packets. */
export function nftRule(rule: Props, side: "saddr" | "daddr"): string {
  const protocol = PROTOCOLS[text(rule, "ipProtocol")] ?? text(rule, "ipProtocol");
  const source = rule.cidrIpv4
    ? rule.cidrIpv4 === "0.0.0.0/0"
      ? "meta nfproto ipv4"
      : `ip ${side} ${rule.cidrIpv4}`
    : rule.cidrIpv6 === "::/0"
      ? "meta nfproto ipv6"
      : `ip6 ${side} ${rule.cidrIpv6}`;
  const from = number(rule, "fromPort");
  const to = number(rule, "toPort");
  if (protocol === "-1") return `${source} return`;
  if (protocol === "tcp" || protocol === "udp")
    return `${source} ${protocol} dport ${from === to ? from : `${from}-${to}`} return`;
  // For ICMP the ports are type and code; -1 is any.
  const family = protocol === "icmpv6" ? "ipv6-icmp" : "icmp";
  const type = from === undefined || from === -1 ? "" : ` ${protocol} type ${from}`;
  const code = to === undefined || to === -1 ? "" : ` ${protocol} code ${to}`;
  return `${source} meta l4proto ${family}${type}${code} return`;
}

const chain = (id: string) => id.replace("-", "_");

/** What clients on this host and the certificate authority look like behind the internet gateway: no address of this host's. */
export const INTERNET = { ipv4: "203.0.113.7", ipv6: "2001:db8:77::7" };

const list = (addresses: string[]) => `{ ${addresses.join(", ")} }`;

/**
 * EC2's source/destination check, and a mark on the packets of each instance. On the bridge, since only there a packet's instance is known
 * whatever its addresses say.
 */
function bridgeTable(network: Network, all: Wall[]): string {
  const table = `bridge ${tableOf(network)}`;
  const checked = all.filter(({ forwards }) => !forwards);
  const sources = checked.flatMap(({ link, ipv4, ipv6 }) => [
    `    iifname "${link}" ip saddr != ${ipv4} counter drop`,
    `    iifname "${link}" ip6 saddr != ${list([...ipv6, "::", "fe80::/10"])} counter drop`,
  ]);
  const destinations = checked.flatMap(({ link, ipv4, ipv6 }) => [
    `    oifname "${link}" ip daddr != ${list([ipv4, "224.0.0.0/4"])} counter drop`,
    `    oifname "${link}" ip6 daddr != ${list([...ipv6, "fe80::/10", "ff00::/8"])} counter drop`,
  ]);
  const marks = all.map((wall) => `    iifname "${wall.link}" meta mark set ${markOf(network, wall, all)}`);
  return `table ${table}
delete table ${table}
table ${table} {
  chain sources {
    type filter hook prerouting priority -300; policy accept;
${[...sources, ...marks].join("\n")}
  }
  chain destinations {
    type filter hook postrouting priority 0; policy accept;
${destinations.join("\n")}
  }
}
`;
}

const markOf = (network: Network, wall: Wall, all: Wall[]) =>
  0x6d000 + network.index * 64 + all.indexOf(wall);

/** The whole filter. Pure. */
export function ruleset(network: Network, all: Wall[]): string {
  const { bridge, net4, net6 } = network;
  const elastic = all.filter(({ publicIp }) => publicIp);
  const translate = elastic.map(({ publicIp, ipv4 }) => `    ip daddr ${publicIp} dnat ip to ${ipv4}`);
  const public6 = elastic.flatMap(({ ipv6 }) => ipv6);
  // An instance's private address is not on the internet; the Instance Connect endpoint is in the VPC.
  const hidden = all.map(
    ({ ipv4 }) =>
      `    ip saddr != ${net4}.${ENDPOINT_HOST} ip daddr ${ipv4} ct state new ct status & dnat != dnat drop`,
  );
  const jumps = all.flatMap((wall) => {
    const { id, ipv4, ipv6, forwards } = wall;
    const mark = `meta mark ${markOf(network, wall, all)}`;
    return [
      `    ip daddr ${ipv4} jump ${chain(id)}_in`,
      `    ip saddr ${ipv4} jump ${chain(id)}_out`,
      ...ipv6.flatMap((address) => [
        `    ip6 daddr ${address} jump ${chain(id)}_in`,
        `    ip6 saddr ${address} jump ${chain(id)}_out`,
      ]),
      // What it forwards passes its groups too, although it is neither source nor destination.
      ...(forwards
        ? [
            `    ${mark} ip saddr != ${ipv4} jump ${chain(id)}_out`,
            `    ${mark} ip6 saddr != ${list([...ipv6, "fe80::/10"])} jump ${chain(id)}_out`,
            `    rt ip nexthop ${ipv4} ip daddr != ${ipv4} jump ${chain(id)}_in`,
            ...ipv6.map(
              (address) => `    rt ip6 nexthop ${address} ip6 daddr != ${address} jump ${chain(id)}_in`,
            ),
          ]
        : []),
    ];
  });
  const chains = all.flatMap(({ id, ingress, egress }) => [
    `  chain ${chain(id)}_in {`,
    "    ct state established,related return",
    ...ingress.map((rule) => `    ${nftRule(rule, "saddr")}`),
    "    counter drop",
    "  }",
    `  chain ${chain(id)}_out {`,
    "    ct state established,related return",
    // Security groups do not filter Amazon's DNS, time and metadata services (VPC user guide, "Security groups").
    "    meta l4proto { tcp, udp } th dport 53 return",
    `    ip daddr ${net4}.1 tcp dport ${METADATA_PORT} return`,
    ...egress.map((rule) => `    ${nftRule(rule, "daddr")}`),
    "    counter drop",
    "  }",
  ]);
  const table = `inet ${tableOf(network)}`;
  return `${bridgeTable(network, all)}table ${table}
delete table ${table}
table ${table} {
${chains.join("\n")}
  chain groups {
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } return
${jumps.join("\n")}
  }
  chain hidden {
${hidden.join("\n")}
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname != "${bridge}" jump hidden
    jump groups
  }
  chain output {
    type filter hook output priority 0; policy accept;
    # A VPC's router tells nobody of a better way.
    icmp type redirect drop
    icmpv6 type nd-redirect drop
    jump hidden
    jump groups
  }
  chain input { type filter hook input priority 0; policy accept; iifname "${bridge}" jump groups; }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    iifname "${bridge}" ip daddr 169.254.169.254 tcp dport 80 dnat ip to ${net4}.1:${METADATA_PORT}
${translate.join("\n")}
  }
  chain translate {
    type nat hook output priority -100; policy accept;
${translate.join("\n")}
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    oifname "${bridge}" ip saddr ${net4}.0/24 ct status & dnat == dnat snat ip to ${INTERNET.ipv4}
${public6.map((address) => `    oifname "${bridge}" fib saddr type local ip6 daddr ${address} snat ip6 to ${INTERNET.ipv6}`).join("\n")}
    oifname != "${bridge}" ip6 saddr fd77:6564:6765::/48 ip6 daddr != ${net6}::/64 masquerade
  }
}
`;
}

/** Applies the account's rules to this host's filter. */
export async function convergeFirewall(store: Store): Promise<void> {
  const cloud = cloudOf(store.home);
  if (!cloud) return;
  const network = networkOf(cloud.networkIndex);
  const all = walls(store);
  await run("nft", ["-f", "-"], { input: ruleset(network, all) });
  await convergeRoutes(network, store);
  await run("ip", ["addr", "replace", `${network.net4}.${ENDPOINT_HOST}/32`, "dev", network.bridge]);
  for (const { ipv4, publicIp } of all) {
    await run("ip", ["addr", "replace", `${partOf(ipv4).router}/32`, "dev", network.bridge]);
    if (publicIp) await run("ip", ["addr", "replace", `${publicIp}/32`, "dev", network.bridge]);
  }
}
