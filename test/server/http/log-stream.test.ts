import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "@jest/globals";

const PROGRAM = join(import.meta.dirname, "log-writer.ts");

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill("SIGKILL");
});

/** A process that writes lines of 1,000 characters to a pipe, which nothing reads yet. */
function writer(lines: number) {
  const started = spawn(process.execPath, [PROGRAM, String(lines)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  child = started;
  return started;
}

test("a reader that has stopped doesn't hold up the process, and costs it a limited amount of memory", async () => {
  const process = writer(50_000);
  const [{ waiting }] = await once(process, "message");
  expect(waiting).toBeGreaterThan(4_000_000);
  expect(waiting).toBeLessThan(4_000_000 * 1.1);
  const reading = text(process.stdout as NonNullable<typeof process.stdout>);
  process.send("go on");
  const lines = (await reading)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const written = lines.filter(({ msg }) => msg === "request");
  const warnings = lines.filter(({ level }) => level === "warn");
  expect(warnings).toEqual([
    {
      level: "warn",
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      release: "1.2.3",
      lines: 50_001 - written.length,
      msg: "lines of the log were lost, because nothing read standard output",
    },
  ]);
  expect(lines.at(-1)).toMatchObject({ msg: "request", n: "last" });
});

test("what waits is written when the process ends", async () => {
  const process = writer(3);
  const lines = (await text(process.stdout as NonNullable<typeof process.stdout>)).trimEnd().split("\n");
  expect(lines).toHaveLength(3);
});
