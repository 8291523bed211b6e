import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { connections, connectText } from "../connect/client-setup.ts";
import { registryEntry } from "../connect/registry.ts";
import { connectTarget } from "../connect/target.ts";
import { jsonOption, stackOption } from "./options.ts";

interface Options {
  stack: string;
  registry?: string | true;
  json: boolean;
}

export const connectCommand = () =>
  new Command("connect")
    .description("Print ready-to-paste lines that connect Claude Code, VS Code, Cursor, curl and programs.")
    .addOption(stackOption())
    .option(
      "--registry [file]",
      "instead, write the entry of the MCP registry (default: server.json in this folder)",
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The lines hold the token of the environment variable MCP_EDGE_TOKEN, or the variable's name when it is not set.
A stack in AWS need not have been brought up from this host: its settings are enough.

--registry lists the server in the public registry, https://registry.modelcontextprotocol.io. The entry's name is in the server's domain.
Prove that the domain is yours, then publish, with the registry's own program:
  mcp-publisher login dns --domain DOMAIN --private-key KEY
  mcp-publisher publish

Examples:
  MCP_EDGE_TOKEN=... mcp-edge connect
  mcp-edge connect --stack prod --json
  mcp-edge connect --stack prod --registry`,
    )
    .action(async ({ stack, registry, json }: Options) => {
      const target = await connectTarget(stack);
      const token = process.env.MCP_EDGE_TOKEN;
      if (registry === undefined) {
        const { url, auth } = target;
        const result = { stack, url, auth, connections: connections(target, token) };
        return console.log(json ? JSON.stringify(result, null, 2) : connectText(target, token));
      }
      const file = registry === true ? "server.json" : registry;
      const entry = registryEntry(target);
      await writeFile(file, `${JSON.stringify(entry, null, 2)}\n`);
      if (json) return console.log(JSON.stringify({ file, entry }, null, 2));
      console.log(`${file} describes ${entry.name}. Publish it: mcp-publisher publish (see connect --help).`);
    });
