import { Command } from "commander";
import { machineOutput } from "../machine/machine-output.ts";
import { hasForwarder, isInAws, machineRef } from "../machine/machine-ref.ts";
import { jsonOption, stackOption } from "./options.ts";

export const statusCommand = () =>
  new Command("status")
    .description(
      "Show what the machines run; in AWS also what they should run. The exit code is 1 if one is unhealthy.",
    )
    .addOption(stackOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge status
  mcp-edge status --stack prod --json`,
    )
    .action(async ({ stack, json }: { stack: string; json: boolean }) => {
      const ref = await machineRef(stack);
      if (isInAws(ref)) {
        const { awsStatus, statusText } = await import("../machine/aws-status.ts");
        const status = await awsStatus(ref);
        console.log(json ? JSON.stringify(status, null, 2) : statusText(status));
        if (!status.ok) process.exitCode = 1;
        return;
      }
      const stdout = await machineOutput(ref, ["mcp-edge-deploy", "status", "--json"]);
      const { ready, ...status } = JSON.parse(stdout) as { ready: boolean; colour: string; release: string };
      const words = `${stack}: release ${status.release.slice(0, 12) || "none"} (${status.colour || "no slot"}), ${ready ? "ready" : "not ready"}`;
      console.log(json ? stdout.trim() : words);
      if (!ready) process.exitCode = 1;
      if (!json && (await hasForwarder(stack))) {
        const forwarder = await machineRef(stack, "edge");
        console.log(
          `${stack}, edge: ${(await machineOutput(forwarder, ["mcp-edge-deploy", "check"])).trim()}`,
        );
      }
    });
