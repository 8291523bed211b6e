import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { type Check, CheckFailure } from "../../check.ts";

export interface Ban {
  /** An address, or an IPv6 network such as `2001:db8::/64`. */
  address: string;
  /** fail2ban's jail, such as `mcp-edge` or `sshd`. */
  jail: string;
}

/**
 * The current bans on the machine. A ban is a fault only if it is of this host, since then no other check can work.
 *
 * @param read reads the bans from the machine, without its network
 */
export const bansCheck = (read: () => Promise<Ban[]>, own: () => string[] = ownAddresses): Check => ({
  id: "bans",
  title: "Bans",
  needs: [],
  tried: () => "mcp-edge-bans list, on the machine",
  async run() {
    const bans = await read();
    if (bans.length === 0) return "nobody is banned";
    const shown = bans.slice(0, 10).map(({ address, jail }) => `${address} (${jail})`);
    const more = bans.length > shown.length ? ` and ${bans.length - shown.length} more` : "";
    const text = `${shown.join(", ")}${more}`;
    const ours = bans.find(({ address }) => own().some((mine) => covers(address, mine)));
    if (ours) throw new CheckFailure(`this host is banned: ${text}`, lift(ours.address));
    return `banned: ${text}; ${lift("ADDRESS")}`;
  },
  fix: () => "See what fail2ban says: npm run mcp-edge -- logs -u fail2ban.service",
});

const lift = (address: string) => `lift a ban with: npm run mcp-edge -- bans lift ${address}`;

function covers(banned: string, mine: string): boolean {
  const [address = "", length] = banned.split("/");
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const list = new BlockList();
  if (length === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(length), family);
  return list.check(mine, isIPv6(mine) ? "ipv6" : "ipv4");
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
