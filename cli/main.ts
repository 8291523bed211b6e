#!/usr/bin/env node
import { reasonOf } from "../infra/reason-of.ts";
import { mcpEdge } from "./program.ts";

try {
  await mcpEdge().parseAsync();
} catch (error) {
  console.error(`mcp-edge: ${reasonOf(error as Error)}`);
  if (process.env.MCP_EDGE_DEBUG) console.error(error);
  process.exitCode = 1;
}
// The engine's SDK keeps handles open; all our work is done here.
process.exit();
