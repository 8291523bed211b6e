import { Command } from "commander";
import { localStatus, localStatusText } from "../machine/local-status.ts";
import { isInAws, machineRef } from "../machine/machine-ref.ts";
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
      const print = (status: { ok: boolean }, text: string) => {
        console.log(json ? JSON.stringify(status, null, 2) : text);
        if (!status.ok) process.exitCode = 1;
      };
      const ref = await machineRef(stack);
      if (isInAws(ref)) {
        // Loaded late: the clients of the AWS SDK would double the time that a status of this host takes.
        const { awsStatus, statusText } = await import("../machine/aws-status.ts");
        const status = await awsStatus(ref);
        print(status, statusText(status));
      } else {
        const status = await localStatus(ref, stack);
        print(status, localStatusText(stack, status));
      }
    });
