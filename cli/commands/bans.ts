import { isIP } from "node:net";
import { Command, InvalidArgumentError } from "commander";
import { addBan, type Ban, liftBans, listBans } from "../machine/bans.ts";
import { machineRef } from "../machine/machine-ref.ts";
import { type MachineOptions, withMachineOptions } from "./options.ts";

/** An IPv4 or IPv6 address, or a network in CIDR notation. */
export function addressOrNetwork(text: string): string {
  const [address = "", length, ...rest] = text.split("/");
  const family = isIP(address);
  const fine =
    family !== 0 &&
    rest.length === 0 &&
    (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128)));
  if (!fine)
    throw new InvalidArgumentError("Write an address or a network: 192.0.2.1, 192.0.2.0/24, 2001:db8::/64.");
  return text;
}

/** What each jail counts. */
const REASONS: Record<string, string> = {
  "mcp-edge": "guessed credentials",
  "mcp-edge-exploits": "exploit paths",
  "mcp-edge-handshakes": "malformed TLS",
  "mcp-edge-limits": "flood of requests",
  "mcp-edge-manual": "added by hand",
  "mcp-edge-scanners": "missing pages",
  recidive: "five bans in a day",
  sshd: "failed SSH sign-ins",
};

/** A ban in words. */
export const line = ({ address, jail, since, until }: Ban): string =>
  [address, REASONS[jail] ?? jail, `since ${since}`, until ? `until ${until}` : "until it is lifted"].join(
    "  ",
  );

/** A table for people, which fits 80 columns with IPv4 addresses. Times are UTC, to the minute. */
export function bansTable(bans: readonly Ban[]): string {
  const minute = (time: string) => `${time.slice(0, 16).replace("T", " ")}Z`;
  const rows = [
    ["ADDRESS", "REASON", "SINCE", "UNTIL"],
    ...bans.map(({ address, jail, since, until }) => [
      address,
      REASONS[jail] ?? jail,
      minute(since),
      until ? minute(until) : "it is lifted",
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n");
}

const HELP = `
A banned address gets no answer, neither on TCP nor on UDP (HTTP/3). These commands reach the machine by
another way (on AWS: EC2 Instance Connect), so that a banned operator can use them.

  mcp-edge bans list
  mcp-edge bans lift 192.0.2.1           lifts every ban that covers it, also of its network
  mcp-edge bans add 192.0.2.0/24
  mcp-edge bans add 2001:db8:1:5::7      bans the /64: an IPv6 client has all of it
  mcp-edge bans list --stack prod --machine 2 --json`;

export function bansCommand(): Command {
  const command = new Command("bans")
    .description("List, lift and add bans of addresses on a machine.")
    .addHelpText("after", HELP);
  withMachineOptions(command.command("list"))
    .description("List who is banned, why, and until when.")
    .action(async ({ stack, machine, json }: MachineOptions) => {
      const bans = await listBans(await machineRef(stack, machine));
      console.log(json ? JSON.stringify(bans) : bans.length > 0 ? bansTable(bans) : "Nobody is banned.");
    });
  withMachineOptions(command.command("lift"))
    .description("Lift the bans of an address, or of all addresses of a network.")
    .argument("<address>", "an address or a network, such as 2001:db8::/64", addressOrNetwork)
    .action(async (address: string, { stack, machine, json }: MachineOptions) => {
      const bans = await liftBans(await machineRef(stack, machine), address);
      const text = bans.map((ban) => `Lifted: ${line(ban)}`).join("\n");
      console.log(json ? JSON.stringify(bans) : text || `${address} was not banned.`);
    });
  withMachineOptions(command.command("add"))
    .description("Ban an address or a network until the ban is lifted.")
    .argument("<address>", "an address or a network; an IPv6 address stands for its /64", addressOrNetwork)
    .action(async (address: string, { stack, machine, json }: MachineOptions) => {
      const ban = await addBan(await machineRef(stack, machine), address);
      console.log(json ? JSON.stringify(ban) : `Banned: ${line(ban)}`);
    });
  return command;
}
