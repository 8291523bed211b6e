import { isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * The network that identifies one client. An IPv6 client usually owns a whole /64 and may use every address in it. An IPv4 address, also
 * one mapped into IPv6, identifies a client by itself.
 *
 * @returns for instance `192.0.2.1` or `2001:db8:1:2::/64`. A text that is not an address is returned unchanged.
 */
export function networkOf(address: string): string {
  if (isIPv4(address)) return address;
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}

/**
 * The wider network around one: an IPv6 site, which often gets a whole /48 and so has 65,536 networks of its own.
 *
 * @param network as `networkOf` returns it
 * @returns for instance `2001:db8:1::/48`; undefined for everything but an IPv6 /64
 */
export function siteOf(network: string): string | undefined {
  if (!network.endsWith("/64")) return undefined;
  const [, site] = /^((?:[0-9a-f]{1,4}:){3})[0-9a-f]{1,4}::\/64$/.exec(network) ?? [];
  return site && `${site}:/48`;
}
