import ipaddr from "ipaddr.js";

/**
 * The network that identifies one client. An IPv6 client usually owns a whole /64 and may use every address in it. An IPv4 address, also
 * one mapped into IPv6, identifies a client by itself.
 *
 * @returns for instance `192.0.2.1` or `2001:db8:1:2::/64`. A text that is not an address is returned unchanged.
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
