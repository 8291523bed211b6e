import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The cloud on this host. cloud.ts writes it when it has created the network. Without it the double only keeps state:
 * nothing boots, and addresses are from the ranges for documentation.
 */
export interface Cloud {
  /** Of infra/local's network: bridge `mcpe<N>`, 10.77.N.0/24. */
  networkIndex: number;
}

const fileOf = (home: string) => join(home, "cloud.json");

export function cloudOf(home: string): Cloud | undefined {
  const file = fileOf(home);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Cloud) : undefined;
}

export const cloudFile = fileOf;

const range = (prefix: string, first: number, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}.${first + i}`);

/** How many subnets of a VPC have machines that boot here. Each has 32 addresses of the instances' network. */
const PARTS = 3;
const PART_SIZE = 32;

/** The part of the instances' network that an address is in: its first address and its router, with the length of the prefix. */
export function partOf(ipv4: string) {
  const [net4 = "", last = ""] = ipv4.split(/\.(?=\d+$)/);
  const first = Number(last) - (Number(last) % PART_SIZE);
  return { range: `${net4}.${first}/27`, router: `${net4}.${first + 1}` };
}

/**
 * Addresses of instances, which are reachable from outside only through Elastic IPs.
 * @param subnet number of the subnet in its VPC. Subnets reach each other only by the router, as in a VPC.
 */
export function privateAddresses(home: string, subnet: number): string[] {
  const cloud = cloudOf(home);
  const from = (subnet % PARTS) * PART_SIZE;
  return range(cloud ? `10.77.${cloud.networkIndex}` : "10.0.0", from + 10, PART_SIZE - 11);
}

/** Elastic IPs. This host owns them and forwards their packets. */
export function publicAddresses(home: string): string[] {
  const cloud = cloudOf(home);
  return cloud ? range(`10.77.${cloud.networkIndex}`, 100, 100) : range("203.0.113", 10, 100);
}

/** Amazon's IPv6 block for the first VPC. infra/local's networks use the /64s below 100; these /56s begin there. */
export const vpcBlock = (home: string, n: number) =>
  `fd77:6564:6765:${(((cloudOf(home)?.networkIndex ?? 0) + 1 + n) * 256).toString(16)}::/56`;

/** Names in infra/local's folders: the network and the authority are one "stack", each instance is one. */
export const CLOUD_STACK = "aws";
/** Port of the metadata service on the bridge; nftables leads 169.254.169.254 there. */
export const METADATA_PORT = 8169;
