import type { Principal } from "../auth/principal.ts";
import { isoTime } from "../iso-time.ts";
import { jsonBytes } from "../json-text.ts";
import { currentOrigin } from "../shares/caller.ts";
import { ToolError } from "../tool-error.ts";
import type { Tool } from "../tools/tool.ts";
import type { AuditLog } from "./audit-log.ts";
import type { AuditWho, ToolCallEvent } from "./record.ts";

/**
 * The same tool, recording each call that a client makes.
 *
 * @param withArguments also records the arguments; they may hold what nobody else should read
 */
export function auditedTool(tool: Tool, audit: Pick<AuditLog, "record">, withArguments: boolean): Tool {
  return {
    ...tool,
    run: async (args, context) => {
      const started = performance.now();
      const at = isoTime();
      const origin = currentOrigin();
      const record = (outcome: ToolCallEvent["outcome"], answer?: object) => {
        // JSON leaves out what is undefined.
        audit.record({
          type: "tool.call",
          at,
          who: origin ? whoIs(origin.principal) : {},
          tool: tool.name,
          repository: repositoryOf(args, answer),
          outcome,
          argumentBytes: Buffer.byteLength(JSON.stringify(args)),
          answerBytes: answer === undefined ? undefined : jsonBytes(answer),
          ms: Math.round((performance.now() - started) * 10) / 10,
          requestId: origin?.requestId,
          traceId: origin?.traceId,
          arguments: withArguments ? args : undefined,
        });
      };
      try {
        const answer = await tool.run(args, context);
        record("ok", answer);
        return answer;
      } catch (error) {
        record(error instanceof ToolError ? "refused" : "error");
        throw error;
      }
    },
  };
}

function whoIs({ id, kind = "token", name, client }: Principal): AuditWho {
  return { id, kind, name, client: client === "" ? undefined : client };
}

/** The answer names the repository also where the caller did not have to. The id of `fetch` begins with it. */
function repositoryOf(args: Record<string, unknown>, answer: object | undefined): string | undefined {
  if (answer !== undefined && "repo" in answer && typeof answer.repo === "string") return answer.repo;
  if (typeof args.repo === "string") return args.repo;
  return typeof args.id === "string" ? /^([^:]{1,255}):/.exec(args.id)?.[1] : undefined;
}
