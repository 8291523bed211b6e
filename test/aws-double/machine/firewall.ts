import { run } from "../../../infra/exec.ts";
import { type Network, networkOf } from "../../../infra/local/network.ts";
import { EIP, EIP_ASSOCIATION } from "../services/addresses.ts";
import { INSTANCE } from "../services/instances.ts";
import { EGRESS, INGRESS } from "../services/security-groups.ts";
import { connectEndpoint } from "../services/vpc.ts";
import type { Store } from "../store.ts";
import { number, type Props, text, texts } from "../values.ts";
import { cloudOf, METADATA_PORT } from "./plan.ts";

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
  if (protocol === "-1") return `${source} accept`;
  if (protocol === "tcp" || protocol === "udp")
    return `${source} ${protocol} dport ${from === to ? from : `${from}-${to}`} accept`;
  // For ICMP the ports are type and code; -1 is any.
  const family = protocol === "icmpv6" ? "ipv6-icmp" : "icmp";
  const type = from === undefined || from === -1 ? "" : ` ${protocol} type ${from}`;
  const code = to === undefined || to === -1 ? "" : ` ${protocol} code ${to}`;
  return `${source} meta l4proto ${family}${type}${code} accept`;
}

const chain = (id: string) => id.replace("-", "_");

/** The whole table. Pure. */
export function ruleset(network: Network, all: Wall[]): string {
  const { bridge, net4, net6 } = network;
  const elastic = all.filter(({ publicIp }) => publicIp);
  const translate = elastic.map(({ publicIp, ipv4 }) => `    ip daddr ${publicIp} dnat ip to ${ipv4}`);
  const jumps = all.flatMap(({ id, ipv4, ipv6 }) => [
    // An instance's private address is not on the internet; the Instance Connect endpoint is in the VPC.
    `    ip saddr != ${net4}.${ENDPOINT_HOST} ip daddr ${ipv4} ct state new ct status & dnat != dnat drop`,
    `    ip daddr ${ipv4} jump ${chain(id)}_in`,
    `    ip saddr ${ipv4} jump ${chain(id)}_out`,
    ...ipv6.flatMap((address) => [
      `    ip6 daddr ${address} jump ${chain(id)}_in`,
      `    ip6 saddr ${address} jump ${chain(id)}_out`,
    ]),
  ]);
  const chains = all.flatMap(({ id, ingress, egress }) => [
    `  chain ${chain(id)}_in {`,
    "    ct state established,related accept",
    ...ingress.map((rule) => `    ${nftRule(rule, "saddr")}`),
    "    counter drop",
    "  }",
    `  chain ${chain(id)}_out {`,
    "    ct state established,related accept",
    // Security groups do not filter Amazon's DNS, time and metadata services (VPC user guide, "Security groups").
    "    meta l4proto { tcp, udp } th dport 53 accept",
    `    ip daddr ${net4}.1 tcp dport ${METADATA_PORT} accept`,
    ...egress.map((rule) => `    ${nftRule(rule, "daddr")}`),
    "    counter drop",
    "  }",
  ]);
  const table = `inet ${tableOf(network)}`;
  return `table ${table}
delete table ${table}
table ${table} {
${chains.join("\n")}
  chain groups {
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept
${jumps.join("\n")}
  }
  chain forward { type filter hook forward priority 0; policy accept; jump groups; }
  chain output { type filter hook output priority 0; policy accept; jump groups; }
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
    oifname "${bridge}" ip saddr ${net4}.0/24 ip daddr ${net4}.0/24 ct status & dnat == dnat masquerade
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
  await run("ip", ["addr", "replace", `${network.net4}.${ENDPOINT_HOST}/32`, "dev", network.bridge]);
  for (const { publicIp } of all) {
    if (publicIp) await run("ip", ["addr", "replace", `${publicIp}/32`, "dev", network.bridge]);
  }
}
