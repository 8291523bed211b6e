import type { Principal } from "../auth/principal.ts";
import { isoTime } from "../iso-time.ts";
import { jsonBytes } from "../json-text.ts";
import { currentOrigin } from "../shares/caller.ts";
import type { CallObserver } from "../tools/observed-tool.ts";
import type { AuditLog } from "./audit-log.ts";
import type { AuditWho } from "./record.ts";

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
      // JSON leaves out what is undefined.
      audit.record({
        type: "tool.call",
        at,
        who: origin ? whoIs(origin.principal) : {},
        tool: tool.name,
        repository: repositoryOf(args, answer),
        outcome: outcome === "ok" || outcome === "refused" ? outcome : "error",
        argumentBytes: Buffer.byteLength(JSON.stringify(args)),
        answerBytes: answer === undefined ? undefined : jsonBytes(answer),
        ms: Math.round((performance.now() - started) * 10) / 10,
        requestId: origin?.requestId,
        traceId: origin?.traceId,
        arguments: withArguments ? args : undefined,
      });
    };
  };
}

const known = new WeakMap<Principal, AuditWho>();

function whoIs(principal: Principal): AuditWho {
  let who = known.get(principal);
  if (!who) {
    const { id, kind = "token", name, client } = principal;
    who = { id, kind, name, client: client === "" ? undefined : client };
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
