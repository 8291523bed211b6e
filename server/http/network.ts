import ipaddr from "ipaddr.js";

/**
 * What one client can be told apart by: an IPv6 client owns a whole /64 and may use every address of it; an IPv4 address, also one that
 * is mapped into IPv6, stands for itself.
 *
 * @returns for instance `192.0.2.1` or `2001:db8:1:2::/64`; a text that is not an address as it is
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}
