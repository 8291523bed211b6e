import { type Check, CheckFailure } from "../../check.ts";

/** From this share on, new connections may soon be dropped. */
const ALMOST_FULL = 0.8;

/**
 * How full the machine's table of tracked flows is: a full one drops every new connection.
 *
 * @param read prints `mcp-edge-deploy status` of the machine
 * @param stack for the commands of the advice
 */
export const flowsCheck = (read: () => Promise<string>, stack: string): Check => {
  const shell = `npm run mcp-edge -- shell --stack ${stack} --`;
  return {
    id: "flows",
    title: "Tracked flows",
    needs: [],
    tried: () => "mcp-edge-deploy status, on the machine",
    async run() {
      const found = /^flows: +(\d+) of (\d+)$/m.exec(await read());
      if (!found) throw new CheckFailure("the machine does not say how many flows it tracks");
      const [, tracked, limit] = found.map(Number) as [number, number, number];
      const text = `${tracked} of ${limit}`;
      if (tracked > ALMOST_FULL * limit)
        throw new CheckFailure(`${text}: a full table drops every new connection`);
      return text;
    },
    fix: () => `See whose flows they are: ${shell} conntrack -L. RUNBOOK.md has what to do under \`flows\``,
  };
};
