import { type Check, CheckFailure } from "../../check.ts";

/**
 * Whether the edge passes connections on to the origin (`edge: passthrough`), by its own check.
 *
 * @param read prints `mcp-edge-deploy check` of the edge. It rejects when the check fails.
 * @param stack for the commands of the advice
 */
export const forwardingCheck = (read: () => Promise<string>, stack: string): Check => ({
  id: "forwarding",
  title: "Forwarding",
  needs: [],
  tried: () => "mcp-edge-deploy check, on the edge",
  async run() {
    const found = (await read()).trim();
    if (found.includes("does not answer")) throw new CheckFailure(found);
    return found;
  },
  fix: () =>
    `Look at the origin: npm run mcp-edge -- shell --stack ${stack} --machine origin -- mcp-edge-caddy status; at the rules of the edge: npm run mcp-edge -- shell --stack ${stack} --machine edge -- nft list table inet mcp_edge`,
});
