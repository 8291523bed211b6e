import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type Check, CheckFailure } from "../../check.ts";

/** Resolves as programs do (getaddrinfo: hosts file, then name servers), so that the result is that of clients. */
export const dns: Check = {
  id: "dns",
  title: "DNS",
  needs: [],
  tried: ({ target }) => `A and AAAA of ${target.host}, by the system's resolver`,
  async run(context) {
    const { host, connect } = context.target;
    const literal = connect ?? (isIP(host) ? host : undefined);
    if (literal !== undefined) {
      context.addresses = [{ address: literal, family: isIP(literal) }];
      return connect === undefined ? `${host} is an IP address` : `not asked, --connect gives ${connect}`;
    }
    const found = await lookup(host, { all: true });
    const seen = new Set<string>();
    context.addresses = found.filter(({ address }) => !seen.has(address) && seen.add(address));
    if (context.addresses.length === 0) throw new CheckFailure(`${host} has no address`);
    const list = (family: number): string =>
      context.addresses
        .filter((one) => one.family === family)
        .map((one) => one.address)
        .join(", ") || "none";
    return `A ${list(4)}; AAAA ${list(6)}`;
  },
  fix: ({ target }) =>
    `Add A and AAAA records for ${target.host} and look with: dig +short ${target.host} A ${target.host} AAAA; ` +
    "to test the machine before its DNS exists: mcp-edge doctor --connect ADDRESS",
};
