import type { Principal } from "../auth/principal.ts";
import { isoTime } from "../iso-time.ts";
import { jsonBytes, jsonString } from "../json/text.ts";
import { currentOrigin } from "../shares/caller.ts";
import type { CallObserver } from "../tools/observed-tool.ts";
import type { AuditLog } from "./audit-log.ts";
import type { AuditWho, ToolCallEvent } from "./record.ts";

/**
 * Records each call that a client makes.
 *
 * @param withArguments also records the arguments; they may hold what nobody else should read
 */
export function callRecords(audit: Pick<AuditLog, "record">, withArguments: boolean): CallObserver {
  return (tool, args) => {
    const started = performance.now();
    const at = isoTime();
    const origin = currentOrigin();
    return (outcome, answer) => {
      audit.record(
        callJson({
          at,
          who: origin ? whoIs(origin.principal) : "{}",
          tool: tool.name,
          repository: repositoryOf(args, answer),
          outcome: outcome === "ok" || outcome === "refused" ? outcome : "error",
          argumentBytes: Buffer.byteLength(JSON.stringify(args)),
          answerBytes: answer === undefined ? undefined : jsonBytes(answer),
          ms: Math.round((performance.now() - started) * 10) / 10,
          requestId: origin?.requestId,
          traceId: origin?.traceId,
          arguments: withArguments ? args : undefined,
        }),
      );
    };
  };
}

/** The record of a call as JSON, member for member as `JSON.stringify` writes it, which takes longer. */
export function callJson(event: CallRecord): string {
  const { at, who, tool, repository, outcome, argumentBytes, answerBytes, ms, requestId, traceId } = event;
  let json = `{"type":"tool.call","at":"${at}","who":${who},"tool":${jsonString(tool)}`;
  if (repository !== undefined) json += `,"repository":${jsonString(repository)}`;
  json += `,"outcome":"${outcome}","argumentBytes":${argumentBytes}`;
  if (answerBytes !== undefined) json += `,"answerBytes":${answerBytes}`;
  json += `,"ms":${ms}`;
  if (requestId !== undefined) json += `,"requestId":${jsonString(requestId)}`;
  if (traceId !== undefined) json += `,"traceId":"${traceId}"`;
  return event.arguments === undefined
    ? `${json}}`
    : `${json},"arguments":${JSON.stringify(event.arguments)}}`;
}

/** A ToolCallEvent whose `who` is JSON already. */
export interface CallRecord extends Omit<ToolCallEvent, "type" | "who"> {
  readonly at: string;
  readonly who: string;
  readonly requestId: string | undefined;
  readonly traceId: string | undefined;
}

const known = new WeakMap<Principal, string>();

function whoIs(principal: Principal): string {
  let who = known.get(principal);
  if (who === undefined) {
    const { id, kind = "token", name, client } = principal;
    who = JSON.stringify({ id, kind, name, client: client === "" ? undefined : client } satisfies AuditWho);
    known.set(principal, who);
  }
  return who;
}

/** The answer names the repository also where the caller did not have to. The id of `fetch` begins with it. */
function repositoryOf(args: Record<string, unknown>, answer: object | undefined): string | undefined {
  if (answer !== undefined && "repo" in answer && typeof answer.repo === "string") return answer.repo;
  if (typeof args.repo === "string") return args.repo;
  return typeof args.id === "string" ? /^([^:]{1,255}):/.exec(args.id)?.[1] : undefined;
}
