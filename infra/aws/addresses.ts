/** Address arithmetic of the network. Pure. */

/** Private range of a new VPC; its subnets are /24 of it. */
export const VPC_RANGE = "10.20.0.0/16";

export const subnetRange = (index: number): string => `10.20.${index}.0/24`;

/**
 * The n-th /64 of the /56 that AWS gives to a VPC.
 * @param block such as 2001:db8:1234:1a00::/56
 * @throws Error when the block is no /56
 */
export function subnetRange6(block: string, index: number): string {
  const match = /^([0-9a-f:]+)::\/56$/i.exec(block);
  if (!match?.[1]) throw new Error(`${block} is not an IPv6 range of the form 2001:db8:1234:1a00::/56`);
  const groups = match[1].split(":");
  while (groups.length < 4) groups.push("0"); // a block may end in zeros that are not written
  const last = Number.parseInt(groups[3] ?? "0", 16) + index;
  return `${[...groups.slice(0, 3), last.toString(16)].join(":")}::/64`;
}
