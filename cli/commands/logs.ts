import { Command, Option } from "commander";
import { BUNDLED_SERVER, slotUnits } from "../../cloud-init/app.ts";
import { machineRef } from "../machine/machine-ref.ts";
import { runOnMachine } from "../machine/shell.ts";
import { machineOption, stackOption } from "./options.ts";

export const logsCommand = () =>
  new Command("logs")
    .description("Show the machine's journal: the server's lines, or those of other units; or its requests.")
    .option("-f, --follow", "wait for new lines and print them", false)
    .option("-n, --lines <count>", "number of lines", "100")
    .option("-u, --unit <unit>", "a unit; may be repeated (default: the server's)", together)
    .addOption(
      new Option("-r, --requests", "the access log of NGINX or Caddy: JSON, one line for each request")
        .default(false)
        .conflicts("unit"),
    )
    .addOption(stackOption())
    .addOption(machineOption())
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge logs -f
  mcp-edge logs -u 'nginx*' -n 20                         caddy.service with edge: passthrough
  mcp-edge logs -u mcp-edge-cert.service                  certificates; with edge: passthrough caddy.service
  mcp-edge logs -u fail2ban.service --stack prod          bans
  mcp-edge logs --requests -n 10 --stack prod --machine 2`,
    )
    .action(async ({ stack, machine, follow, lines, unit, requests }: Options) => {
      const command = requests ? accessLog({ follow, lines }) : journalctl({ follow, lines, units: unit });
      process.exitCode = await runOnMachine(await machineRef(stack, machine), command);
    });

interface Options {
  stack: string;
  machine?: string;
  follow: boolean;
  lines: string;
  unit?: string[];
  requests: boolean;
}

/** An option that may be given more than once. */
const together = (value: string, before: string[] = []) => [...before, value];

/** @param args.units patterns of units' names; none: the server's */
export const journalctl = (args: {
  follow: boolean;
  lines: string;
  units?: string[] | undefined;
}): string[] => [
  ...["journalctl", "--no-pager", "-n", args.lines],
  ...(args.units ?? [slotUnits(BUNDLED_SERVER)]).flatMap((unit) => ["-u", unit]),
  ...(args.follow ? ["-f"] : []),
];

/** Prints the access log of what terminates TLS on the machine. The file lasts longer than a rotation: `-F` follows its name. */
const accessLog = ({ follow, lines }: { follow: boolean; lines: string }): string[] => {
  const script = `log=/var/log/nginx/access.log
[ ! -e /etc/systemd/system/caddy.service.d/mcp-edge.conf ] || log=/var/log/caddy/access.log
[ -e "$log" ] || { echo "This machine passes connections on and sees no requests. Leave out --machine edge." >&2; exit 1; }
exec tail "$@" "$log"`;
  return ["sh", "-c", script, "logs", "-n", lines, ...(follow ? ["-F"] : [])];
};
