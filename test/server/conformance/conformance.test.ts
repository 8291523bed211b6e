import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { comparable, NEVER_LATE } from "../mcp/comparable.ts";
import { makeRepository, type RunningApp, startApp, temporaryFolder } from "../support.ts";
import { conformanceProfile } from "./profile.ts";
import { recorder } from "./recorder.ts";
import { conformance } from "./suite.ts";

/** More than the suite's own. */
const LIMIT_MS = 300_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let fixtures: RunningApp;
let real: RunningApp;
/** Before `fixtures`. */
let recording: Awaited<ReturnType<typeof recorder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  const env = { WORKSPACE_DIR: join(folder.path, "workspace") };
  fixtures = await startApp(env, { profile: conformanceProfile });
  real = await startApp(env);
  recording = await recorder(fixtures.origin);
});
afterAll(async () => {
  await recording.close();
  await fixtures.app.close();
  await real.app.close();
  await folder.remove();
});

test.each(["2025-11-25", "2026-07-28"])(
  "every scored scenario of %s passes with the fixtures of the suite",
  async (revision) => {
    const { code, output } = await conformance(`${recording.origin}/mcp`, "--requirements", revision);
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    // The suite ran, rather than found nothing to run.
    expect(output.match(/=== Running scenario/g)?.length).toBeGreaterThanOrEqual(30);
  },
  LIMIT_MS,
);

/** Scenarios that the suite does not score yet. `tasks-*` are left out: no tool here runs longer than its call. */
test.each([
  ["2025-11-25", "json-schema-2020-12"],
  ["2025-11-25", "server-sse-polling"],
  ["2025-11-25", "server-session-lifecycle"],
  ["2026-07-28", "http-custom-header-server-validation"],
])(
  "%s %s, which is not scored, passes with the fixtures of the suite",
  async (revision, scenario) => {
    const args = ["--scenario", scenario, "--spec-version", revision];
    const { code, output } = await conformance(`${recording.origin}/mcp`, ...args);
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    expect(output).toMatch(/Passed: [1-9]/);
  },
  LIMIT_MS,
);

test(
  "each request of the suite so far has the same answer from a server without direct calls",
  async () => {
    const env = { WORKSPACE_DIR: join(folder.path, "workspace") };
    const options = { profile: conformanceProfile, streams: NEVER_LATE };
    await using direct = await startApp(env, options);
    await using sdk = await startApp({ ...env, DIRECT_CALLS: "no" }, options);
    /** The sessions of both servers, by those that the suite had. */
    const sessions = new Map<string, readonly (string | null)[]>();
    expect(recording.posts.length).toBeGreaterThan(200);
    for (const { headers, body, opened } of recording.posts) {
      // The answer to a request of the server, which has another id at each server.
      if (!body.includes('"method"')) continue;
      const answers = await Promise.all(
        [direct, sdk].map(async ({ origin }, i) => {
          const response = await post(
            origin,
            headers,
            body,
            sessions.get(String(headers["mcp-session-id"]))?.[i],
          );
          return { session: response.headers.get("mcp-session-id"), answer: await comparable(response) };
        }),
      );
      const [one, other] = answers;
      expect({ body, ...one?.answer }).toEqual({ body, ...other?.answer });
      if (opened)
        sessions.set(
          opened,
          answers.map(({ session }) => session),
        );
    }
  },
  LIMIT_MS,
);

function post(origin: string, given: IncomingHttpHeaders, body: string, session: string | null | undefined) {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given))
    if (!["connection", "content-length", "host", "transfer-encoding"].includes(name))
      headers.set(name, String(value));
  if (session) headers.set("mcp-session-id", session);
  return fetch(`${origin}/mcp`, { method: "POST", headers, body });
}

/** What any server can show; 2025-06-18 has no list of requirements of its own. */
const WITHOUT_FIXTURES: Readonly<Record<string, readonly string[]>> = {
  "2025-11-25": [
    "dns-rebinding-protection",
    "server-initialize",
    "logging-set-level",
    "ping",
    "tools-list",
    "resources-list",
    "prompts-list",
  ],
  "2025-06-18": [
    "server-initialize",
    "logging-set-level",
    "ping",
    "tools-list",
    "resources-list",
    "prompts-list",
  ],
  "2026-07-28": [
    "dns-rebinding-protection",
    "tools-list",
    "resources-list",
    "prompts-list",
    "sep-2164-resource-not-found",
    "caching",
  ],
};

test.each(
  Object.entries(WITHOUT_FIXTURES).flatMap(([revision, scenarios]) =>
    scenarios.map((scenario) => [revision, scenario] as const),
  ),
)(
  "%s %s passes against the server as it is released",
  async (revision, scenario) => {
    const args = ["--scenario", scenario, "--spec-version", revision];
    const { code, output } = await conformance(`${real.origin}/mcp`, ...args);
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    expect(output).toMatch(/[1-9]\d* passed|Passed: [1-9]|✓/);
  },
  LIMIT_MS,
);
