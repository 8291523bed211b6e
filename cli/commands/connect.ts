import { Command } from "commander";
import { connectText } from "../connect/client-setup.ts";
import { connectTarget } from "../connect/target.ts";
import { stackOption } from "./options.ts";

export const connectCommand = () =>
  new Command("connect")
    .description("Print ready-to-paste lines that connect Claude Code, VS Code, Cursor, curl and programs.")
    .addOption(stackOption())
    .addHelpText(
      "after",
      `
The lines hold the token of the environment variable MCP_EDGE_TOKEN, or the variable's name when it is not set.
A stack in AWS need not have been brought up from this host: its settings are enough.

Examples:
  MCP_EDGE_TOKEN=... mcp-edge connect
  mcp-edge connect --stack prod`,
    )
    .action(async ({ stack }: { stack: string }) =>
      console.log(connectText(await connectTarget(stack), process.env.MCP_EDGE_TOKEN)),
    );
