import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

/** Words that a reader of Fastify, NGINX or AWS would not expect in a program, each with the term to use instead. */
const REPLACEMENTS: readonly [word: RegExp, use: string][] = [
  [/\bmend(s|ed|ing)?\b/i, "fix"],
  [/\banew\b/i, "again, or a verb with re- (recreate, rebuild)"],
  [/\bwhoever\b/i, "everybody who …, or a client that …"],
  [/\bwhomever\b/i, "a client that …"],
  [/\b(?<!for )whom\b/i, "a second sentence"],
  [/\bthe way back\b/i, "rollback"],
  [/\bdoors?\b/i, "endpoint"],
  [/\bquietly\b/i, "unjournaled, or without a message"],
  [/\bheart beats?\b/i, "heartbeat"],
  [/\bstanding (event )?streams?\b/i, "long-lived stream"],
  [/\bjudge[sd]?\b/i, "check, validate or assess; a validator or an external tool"],
  [/\bso long\b(?! as)/i, "a timeout, an interval or how long"],
];

/** Tracked text that people read. Golden files, data and the lockfile follow from other files. */
const files = execFileSync("git", [
  "ls-files",
  "-z",
  "--",
  "*.ts",
  "*.md",
  "*.sh",
  "*.yml",
  "cloud-init/deploy",
])
  .toString()
  .split("\0")
  .filter((file) => file !== "" && !/\/golden\/|^test\/language\.test\.ts$/.test(file));

function findingsIn(name: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) =>
    // In snake_case and camelCase too: `the_way_back`, `mendTokens`.
    REPLACEMENTS.filter(([word]) => word.test(line) || word.test(identifierWords(line))).map(
      ([word, use]) =>
        `${name}:${index + 1}: "${(word.exec(line) ?? word.exec(identifierWords(line)))?.[0]}": use ${use}`,
    ),
  );
}

const identifierWords = (line: string) => line.replace(/([a-z])(?=[A-Z])/g, "$1 ").replace(/_/g, " ");

test.each([
  ["// Whoever asks gets it anew.", 2],
  ["const mendTokens = 1;", 1],
  ["The way back is a rollback.", 1],
  ["The judges wait for so long.", 2],
  ["Amend the commit, recommend a fix, renew a lease.", 0],
])("finds dialect in %j", (line, count) => expect(findingsIn("x.ts", line)).toHaveLength(count));

test("sources and documents use standard terms", () => {
  expect(files.length).toBeGreaterThan(700);
  expect(files.flatMap((file) => findingsIn(file, readFileSync(file, "utf8")))).toEqual([]);
});
