import { type Check, CheckFailure } from "../../check.ts";

/**
 * Whether security updates or a reboot are pending on the machine, by its hourly check (cloud-init/deploy/mcp-edge-patches). That is
 * not a fault: updates are installed once a day, and reboots happen once a night.
 *
 * @param read prints `mcp-edge-deploy status` of the machine
 * @param stack for the commands of the advice
 * @param machine of a stack with two machines. Default: the one that runs the server
 */
export const patchesCheck = (read: () => Promise<string>, stack: string, machine?: string): Check => {
  const shell = `npm run mcp-edge -- shell --stack ${stack}${machine ? ` --machine ${machine}` : ""} --`;
  return {
    id: machine ? `patches-${machine}` : "patches",
    title: machine ? `Security updates, ${machine}` : "Security updates",
    needs: [],
    tried: () => "mcp-edge-deploy status, on the machine",
    async run() {
      const status = await read();
      const updates = statusLine(status, "updates").replace(/ wait$/, "");
      const reboot = statusLine(status, "reboot");
      if (updates.startsWith("?")) return `not looked for yet; look now: ${shell} mcp-edge-patches check`;
      const parts = [
        updates === "0" ? "none waits" : `${updates} wait; install: ${shell} unattended-upgrade`,
      ];
      parts.push(
        reboot === "not due"
          ? "no reboot is due"
          : `a reboot is due (${reboot}); reboot: ${shell} systemctl reboot`,
      );
      return parts.join("; ");
    },
    fix: () => `Look at the machine: ${shell} mcp-edge-deploy status`,
  };
};

/** @returns the line `name: …` of `mcp-edge-deploy status`, without the name @throws CheckFailure when there is none */
export function statusLine(status: string, name: string): string {
  const value = new RegExp(`^${name}: (.+)$`, "m").exec(status)?.[1];
  if (value === undefined) throw new CheckFailure(`the machine's status has no line "${name}:"`);
  return value.trim();
}
