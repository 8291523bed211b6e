import { machineOutput } from "./machine-output.ts";
import type { MachineRef } from "./machine-ref.ts";

/** A ban by fail2ban on a machine. */
export interface Ban {
  /** An address, or a network such as `2001:db8::/64`: an IPv6 client is banned with its /64. */
  address: string;
  /** fail2ban's jail, which says why: `mcp-edge` (guessed credentials), `mcp-edge-manual` (by the operator) … */
  jail: string;
  /** ISO 8601. */
  since: string;
  /** ISO 8601; null: until it is lifted. */
  until: string | null;
}

/** Runs the machine's own command for bans, over its private way in: a banned operator can use it. */
async function bansCommand(ref: MachineRef, ...args: string[]): Promise<Ban[]> {
  return JSON.parse(await machineOutput(ref, ["/usr/local/sbin/mcp-edge-bans", ...args])) as Ban[];
}

/** All bans of all jails. */
export const listBans = (ref: MachineRef): Promise<Ban[]> => bansCommand(ref, "list");

/** Lifts every ban that covers an address, or that lies in a network. @returns the bans that were lifted; none: nobody was banned */
export const liftBans = (ref: MachineRef, address: string): Promise<Ban[]> =>
  bansCommand(ref, "lift", address);

/** Bans an address or a network on TCP and UDP, until the ban is lifted. @returns the ban */
export async function addBan(ref: MachineRef, address: string): Promise<Ban> {
  const [ban] = await bansCommand(ref, "add", address);
  if (!ban) throw new Error(`The machine did not ban ${address}. See: npm run mcp-edge -- logs -u fail2ban`);
  return ban;
}
