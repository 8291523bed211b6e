import type * as z from "zod";
import type { Scope } from "../auth/principal.ts";
import type { NeedsCapabilities } from "../capabilities/registry.ts";
import type { CodeIndex } from "../index/code-index.ts";
import type { Semantic } from "../index/semantic/semantic.ts";
import type { Progress } from "../shares/progress.ts";
import type { Sync } from "../workspace/sync/sync.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { withHeartbeat } from "./heartbeat.ts";

/** What a tool may use besides its arguments. */
export interface ToolContext {
  readonly workspace: Workspace;
  /** Path of the ripgrep binary. */
  readonly ripgrep: string;
  readonly index: CodeIndex;
  /** Search by meaning; undefined if no embedding service is configured. */
  readonly semantic?: Semantic | undefined;
  /** Keeps the copies of remotes; undefined if there are none. */
  readonly sync?: Sync | undefined;
  /** Aborted when the caller cancels or, in the 2026 era, disconnects. */
  readonly signal: AbortSignal;
  /** Reports progress to the caller; undefined unless the caller asked for it. */
  readonly progress?: Progress | undefined;
  /** Interval of the reports for a tool that makes none itself, milliseconds. Default: 2,000. */
  readonly heartbeatMs?: number | undefined;
  /** Sends a log message to the caller, in addition to the result. */
  readonly log?: ((level: "debug" | "info" | "warning" | "error", message: string) => void) | undefined;
}

/**
 * A read-only tool, offered only while everything in `needs` is available. Its schemas are made once, at module scope, because
 * making them for each request is expensive.
 */
export interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject>
  extends NeedsCapabilities {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** The scope that a caller must have to see and call it. */
  readonly scope: Scope;
  readonly input: I;
  readonly output: O;
  /** @throws ToolError for what the caller can fix */
  run(args: z.output<I>, context: ToolContext): Promise<z.output<O>>;
}

/** Infers the types of arguments and result from the schemas, and gives the tool a heartbeat. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: Tool<I, O>): Tool {
  const run: Tool<I, O>["run"] = (args, context) =>
    withHeartbeat(tool.name, context, (beating) => tool.run(args, beating));
  return { ...tool, run } as unknown as Tool;
}
