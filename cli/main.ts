#!/usr/bin/env node
import { mcpEdge } from "./program.ts";

try {
  await mcpEdge().parseAsync();
} catch (error) {
  console.error(`mcp-edge: ${(error as Error).message}`);
  if (process.env.MCP_EDGE_DEBUG) console.error(error);
  process.exitCode = 1;
}
// The engine's SDK keeps handles open; all our work is done here.
process.exit();
