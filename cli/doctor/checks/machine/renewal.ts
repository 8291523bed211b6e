import { type Check, CheckFailure } from "../../check.ts";
import { statusLine } from "./patches.ts";

/**
 * Whether the last attempt to get, renew or install the certificate failed, in the machine's own words (cloud-init/deploy/mcp-edge-cert; on
 * an origin cloud-init/deploy/mcp-edge-caddy). They end with the command that fixes it. The certificate itself is examined by the check `certificate`.
 *
 * @param read prints `mcp-edge-deploy status` of the machine
 * @param stack for the commands of the advice
 */
export const renewalCheck = (read: () => Promise<string>, stack: string): Check => ({
  id: "renewal",
  title: "Certificate renewal",
  needs: [],
  tried: () => "mcp-edge-deploy status, on the machine",
  async run() {
    const problem = statusLine(await read(), "certificate");
    if (problem !== "no problem") throw new CheckFailure(problem);
    return "the last attempt succeeded";
  },
  fix: ({ target }) =>
    `Fix what the machine names (docs/certificates.md), then: npm run mcp-edge -- shell --stack ${stack} -- ${target.machine?.tlsServer === "caddy" ? "mcp-edge-caddy retry" : "systemctl restart mcp-edge-cert"}`,
});
