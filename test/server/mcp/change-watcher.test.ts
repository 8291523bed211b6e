import { describe, expect, test } from "@jest/globals";
import { ChangeBus } from "../../../server/mcp/change-bus.ts";
import { ChangeWatcher } from "../../../server/mcp/change-watcher.ts";
import type { Session } from "../../../server/mcp/session.ts";
import type { Sessions } from "../../../server/mcp/sessions.ts";
import { applyChange, INITIAL_STATE, type StateChange } from "../../../server/store/session-state.ts";

/** Sessions with open streams, and a workspace whose lists and files the test changes. */
function watched(count = 1) {
  const current = { lists: { tools: "1", prompts: "1", resources: "1" } as Record<string, string> };
  const versions: Record<string, string> = {};
  const notifications: string[] = [];
  const problems: string[] = [];
  /** Awaited by every check of a file. */
  const pause = { until: Promise.resolve() };
  const sessions = Array.from({ length: count }, (_, i) => {
    const notify = async (method: string, params?: { uri: string }) => {
      if (session.id === "broken") throw new Error("the transport is closed");
      notifications.push(`${session.id} ${params?.uri ?? /\w+(?=\/list_changed$)/.exec(method)?.[0]}`);
    };
    const session = {
      id: `s${i}`,
      principal: { id: "p", name: "p", scopes: ["code:read"] },
      state: { ...INITIAL_STATE, lists: { ...current.lists } },
      endStream: () => undefined,
      transport: { notify },
    } as unknown as Session & { id: string };
    return session;
  });
  const change = async (session: Session, what: StateChange) => {
    session.state = applyChange(session.state, what);
    await Promise.resolve();
  };
  const watch = new ChangeWatcher({
    sessions: { live: { values: () => sessions }, change } as unknown as Sessions,
    changes: new ChangeBus(),
    lists: async () => ({ ...current.lists }),
    view: () => "",
    version: async (_principal, uri) => {
      const version = versions[uri] ?? "";
      await pause.until;
      return version;
    },
    log: { error: ({ reason }: { reason: string }) => void problems.push(reason) } as never,
  });
  const [session] = sessions;
  if (!session) throw new Error("no session");
  return { watch, sessions, session, current, versions, notifications, problems, pause, change };
}

const A = "repo://r/a";
const B = "repo://r/b";

describe("subscriptions that change while files are checked", () => {
  test.each([
    ["an added subscription is kept", { subscribe: { [B]: "1" } }, [A], [B]],
    ["a removed subscription stays removed", { unsubscribe: [A] }, [], []],
    ["one subscription is removed and another added", { unsubscribe: [A], subscribe: { [B]: "1" } }, [], [B]],
  ] as const)("%s", async (_, meanwhile, first, second) => {
    const { watch, session, versions, notifications, pause, change } = watched();
    Object.assign(versions, { [A]: "1", [B]: "1" });
    await change(session, { subscribe: { [A]: "1" } });
    const { promise, resolve } = Promise.withResolvers<void>();
    pause.until = promise;
    versions[A] = "2";
    const looking = watch.check();
    await new Promise((turned) => setImmediate(turned));
    await change(session, meanwhile);
    resolve();
    await looking;
    expect(notifications.splice(0)).toEqual(first.map((uri) => `s0 ${uri}`));
    versions[A] = "3";
    versions[B] = "2";
    await watch.check();
    const expected = [...(first.length ? first : []), ...second];
    expect(notifications).toEqual(expected.map((uri) => `s0 ${uri}`));
  });
});

test("a stream that opens during a check gets one notification for each change", async () => {
  const { watch, session, current, versions, notifications, change } = watched();
  versions[A] = "1";
  await change(session, { subscribe: { [A]: "1" } });
  Object.assign(current.lists, { tools: "2", resources: "2" });
  versions[A] = "2";
  for (let i = 0; i < 3; i++) watch.notify(session);
  await Promise.all([watch.check(), watch.check()]);
  watch.notify(session);
  await watch.check();
  await new Promise((turned) => setImmediate(turned));
  expect(notifications).toEqual(["s0 tools", "s0 resources", `s0 ${A}`]);
});

test("a session whose notifications fail does not keep other sessions from theirs", async () => {
  const { watch, sessions, current, notifications, problems } = watched(4);
  (sessions[1] as unknown as { id: string }).id = "broken";
  current.lists.tools = "2";
  await watch.check();
  expect(notifications).toEqual(["s0 tools", "s2 tools", "s3 tools"]);
  expect(problems).toEqual(["the transport is closed"]);
});
