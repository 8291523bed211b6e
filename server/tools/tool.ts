import type * as z from "zod";
import type { Scope } from "../auth/principal.ts";
import type { NeedsCapabilities } from "../capabilities/registry.ts";
import type { CodeIndex } from "../index/code-index.ts";
import type { Semantic } from "../index/semantic/semantic.ts";
import type { Sync } from "../workspace/sync/sync.ts";
import type { Workspace } from "../workspace/workspace.ts";

/** What a tool may use, beside its arguments. */
export interface ToolContext {
  readonly workspace: Workspace;
  /** Path of the ripgrep binary. */
  readonly ripgrep: string;
  readonly index: CodeIndex;
  /** Searches by meaning; undefined where nothing does. */
  readonly semantic?: Semantic | undefined;
  /** What keeps the copies of remotes; undefined where none is kept. */
  readonly sync?: Sync | undefined;
  /** Aborted when the caller cancels or, in the 2026 era, goes away. */
  readonly signal: AbortSignal;
  /** Says how far the work is; there only when the caller asked for it. */
  readonly progress?: ((done: number, total: number, message: string) => void) | undefined;
  /** A word to the caller's log, beside the answer. */
  readonly log?: ((level: "debug" | "info" | "warning" | "error", message: string) => void) | undefined;
}

/**
 * A read-only tool; it is offered only while all that it `needs` is there. Schemas are made once, at module scope: building them per
 * request was measured to cost most.
 */
export interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject>
  extends NeedsCapabilities {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** The scope a caller needs to see it. */
  readonly scope: Scope;
  readonly input: I;
  readonly output: O;
  /** @throws ToolError for what the caller can mend */
  run(args: z.output<I>, context: ToolContext): Promise<z.output<O>>;
}

/** Lets the compiler infer the argument and result types from the schemas. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: Tool<I, O>): Tool {
  return tool as unknown as Tool;
}
