import { describe, expect, test } from "@jest/globals";
import { converged, type Objects, type Status } from "../../../infra/aws/convergence.ts";
import { RefusedError } from "../../../infra/aws/refused.ts";

const steps = (...texts: string[]) =>
  texts.map((text, index) => ({ at: `2026-11-21T10:00:0${index}Z`, text }));
const status = (change: Partial<Status>): Status => ({
  instance: "i-1",
  generation: "new",
  phase: "done",
  ok: change.phase === undefined || change.phase === "done",
  release: "5".repeat(64),
  files: "f".repeat(64),
  cloudInit: "",
  certificate: "issued",
  certificateProblem: "",
  updates: 0,
  reboot: "",
  failedUnits: [],
  steps: steps("one"),
  log: "the log",
  ...change,
});

/** The next statuses of each machine. The last one is repeated. */
function bucket(histories: Record<string, (Status | undefined | Error)[]>) {
  const puts: Record<string, string> = {};
  const objects: Objects = {
    async get<T>(key: string) {
      if (key === "desired.json") return { release: "r", generation: "new" } as T;
      const history = histories[key.replace(/^status\/|\.json$/g, "")] ?? [];
      const next = history.length > 1 ? history.shift() : history[0];
      if (next instanceof Error) throw next;
      return next as T | undefined;
    },
    async put(key, content) {
      puts[key] = content;
    },
  };
  return { objects, puts };
}

async function outcome(histories: Parameters<typeof bucket>[0], limit = 60_000) {
  const lines: string[] = [];
  const { objects, puts } = bucket(histories);
  const awaited = { generation: "new", instances: Object.keys(histories) };
  const error = await converged(objects, awaited, { log: (line) => lines.push(line), every: 1, limit }).then(
    () => undefined,
    (problem: Error) => problem.message,
  );
  return { lines, puts, error };
}

describe("converged", () => {
  test("logs each step once when it appears, and ends when the machine is done", async () => {
    const history = [
      undefined,
      undefined,
      status({ generation: "old", steps: steps("of the one before") }),
      status({ phase: "files", steps: steps("one") }),
      status({ phase: "release", steps: steps("one", "two") }),
      status({ steps: steps("one", "two", "three") }),
    ];
    const { lines, error } = await outcome({ "i-1": history });
    expect(error).toBeUndefined();
    expect(lines).toEqual(["10:00:00 one", "10:00:01 two", "10:00:02 three"]);
  });

  test("waits for all of ten machines, and names each in its lines", async () => {
    const machines = Array.from({ length: 10 }, (_, index) => `i-${index}`);
    const histories = Object.fromEntries(
      machines.map((instance, index) => [
        instance,
        [...Array<undefined>(index + 1).fill(undefined), status({ instance })],
      ]),
    );
    const { lines, error } = await outcome(histories);
    expect(error).toBeUndefined();
    expect(lines.sort()).toEqual(machines.map((instance) => `${instance} 10:00:00 one`));
  });

  test("fails for a machine that rolled back, with the end of its log, after waiting for the others", async () => {
    const { error, lines } = await outcome({
      "i-1": [undefined, status({ phase: "failed", log: "not ready within 30 s" })],
      "i-2": [undefined, undefined, undefined, status({ instance: "i-2", steps: steps("fine") })],
    });
    expect(error).toMatch(
      /^i-1: the deployment failed; release 555555555555 still runs\..*not ready within 30 s$/s,
    );
    expect(error).not.toContain("i-2");
    expect(lines).toContain("i-2 10:00:00 fine");
  });

  test("counts a first boot as done when cloud-init has ended without an error", async () => {
    const running = status({ cloudInit: "running" });
    expect(
      (await outcome({ "i-1": [undefined, running, status({ cloudInit: "done" })] })).error,
    ).toBeUndefined();
    expect(
      (await outcome({ "i-1": [undefined, running, status({ cloudInit: "error - done" })] })).error,
    ).toContain('cloud-init ended as "error - done"');
  });

  test("warns when cloud-init is degraded and the deployment is done", async () => {
    const degraded = status({ cloudInit: "degraded done" });
    const { error, lines } = await outcome({
      "i-1": [undefined, status({ cloudInit: "degraded running" }), degraded],
    });
    expect(error).toBeUndefined();
    expect(lines).toContainEqual(
      expect.stringMatching(/^warning: i-1 is well.*"degraded done".*cloud-init status --long/),
    );
    const failed = status({ phase: "failed", cloudInit: "degraded done" });
    expect((await outcome({ "i-1": [undefined, failed] })).error).toContain("the deployment failed");
  });

  test("fails at once for a refused request", async () => {
    const { error, lines } = await outcome({
      "i-1": [undefined, new RefusedError("AccessDenied: s3:GetObject")],
    });
    expect(error).toBe("AccessDenied: s3:GetObject");
    expect(lines).toEqual([]);
  });

  test("after a failure, requests another attempt and ignores the status of the old one", async () => {
    const failed = status({ phase: "failed", steps: [{ at: "2026-11-21T09:00:00Z", text: "earlier" }] });
    const { puts, error, lines } = await outcome({ "i-1": [failed, failed, failed, status({})] });
    expect(error).toBeUndefined();
    expect(JSON.parse(puts["desired.json"] ?? "")).toEqual({
      release: "r",
      generation: "new",
      attempt: expect.stringMatching(/^20/),
    });
    expect(lines).toEqual(["10:00:00 one"]);
    expect((await outcome({ "i-1": [status({})] })).puts).toEqual({});
  });

  test("repeats a failed request", async () => {
    const { error, lines } = await outcome({ "i-1": [undefined, new Error("HTTP 503"), status({})] });
    expect(error).toBeUndefined();
    expect(lines).toEqual(["not yet: HTTP 503", "10:00:00 one"]);
  });

  test("at the time limit, reports the machine's last step or how to see its console", async () => {
    const { error } = await outcome(
      { "i-1": [undefined], "i-2": [status({ phase: "files", log: "hangs" })] },
      1_000,
    );
    expect(error).toMatch(/i-1: it has said nothing.*get-console-output --latest --instance-id i-1/);
    expect(error).toMatch(/i-2: not done within 0 min; it last said "one"\n {2}hangs/);
  });
});
