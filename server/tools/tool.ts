import * as z from "zod";
import type { Scope } from "../auth/principal.ts";
import type { NeedsCapabilities } from "../capabilities/registry.ts";
import type { CodeIndex } from "../index/code-index.ts";
import type { Semantic } from "../index/semantic/semantic.ts";
import type { Progress } from "../shares/progress.ts";
import type { Sync } from "../workspace/sync/sync.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { type Source, sourceOf, sourceOutput } from "./answers/source.ts";
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
  /** MCP offers it to this client only, because another tool does the same better. */
  readonly onlyFor?: "chatgpt";
  readonly input: I;
  readonly output: O;
  /** @throws ToolError for what the caller can fix */
  run(args: z.output<I>, context: ToolContext): Promise<z.output<O>>;
  /**
   * The result as text for the model: short and readable. Default: see answers/text.ts. JSON, where the caller requires it.
   * The line about the source and the note are added to it.
   */
  text?(result: z.output<O> & Noted): string;
}

/** What the result of each tool may have besides its own fields. */
export interface Noted {
  readonly note?: string | undefined;
  readonly source?: Source | undefined;
}

const noted = {
  note: z.string().optional().describe("Why the result may be empty or incomplete, and what to try."),
  source: sourceOutput.describe("State of the repository that the result is from."),
};

/** A tool before defineTool. Its result may have a note, and names the repository in `repo`. */
type OwnTool<I extends z.ZodObject, O extends z.ZodObject> = Omit<Tool<I, O>, "run"> & {
  run(args: z.output<I>, context: ToolContext): Promise<z.output<O> & { note?: string }>;
};

/**
 * Infers the types of arguments and result from the schemas, gives the tool a heartbeat, and a tool of one repository the fields `note` and
 * `source`.
 */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: OwnTool<I, O>): Tool {
  const ofRepository = "repo" in tool.output.shape;
  const run: Tool<I, O>["run"] = (args, context) =>
    withHeartbeat(tool.name, context, (beating) =>
      ofRepository ? withSource(tool.run(args, beating), context) : tool.run(args, beating),
    );
  const output = ofRepository ? tool.output.extend(noted) : tool.output;
  return { ...tool, output, run } as unknown as Tool;
}

async function withSource<R extends object>(running: Promise<R>, context: ToolContext) {
  const result = await running;
  return { ...result, source: await sourceIn(result as Record<string, unknown>, context) };
}

/** A result of one commit has it in `commit`. */
async function sourceIn(result: Record<string, unknown>, context: ToolContext): Promise<Source> {
  const repo = await context.workspace.find(String(result.repo));
  const commit = typeof result.commit === "string" ? result.commit : undefined;
  return sourceOf(context, repo, commit);
}
