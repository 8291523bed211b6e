import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

const text = readFileSync("docs/security.md", "utf8");
/** The rows of the tables of threats: threat, what holds it, tests. */
const rows = text
  .split(/^## /m)
  .filter((section) => section.includes("| Threat |"))
  .flatMap((section) => section.split("\n").filter((line) => /^\| (?!Threat )/.test(line)))
  .map((line) => line.split(/ ?\| ?/).slice(1, -1));

test("each path that docs/security.md names exists", () => {
  const paths = [...text.matchAll(/`((?:\.github|cli|cloud-init|docs|infra|server|test)\/[\w./@-]+)`/g)];
  expect(paths.length).toBeGreaterThan(150);
  expect(paths.map(([, path = ""]) => path).filter((path) => !existsSync(path))).toEqual([]);
});

test("each test that docs/security.md names is in the file that it names", () => {
  const missing: string[] = [];
  let titles = 0;
  for (const [, path = "", list = ""] of text.matchAll(/`(test\/[^`]+)`: (“[^”]+”(?:, “[^”]+”)*)/g)) {
    const source = existsSync(path) ? readFileSync(path, "utf8") : "";
    for (const [, title = ""] of list.matchAll(/“([^”]+)”/g)) {
      titles++;
      if (!source.includes(`"${title}"`)) missing.push(`${path}: ${title}`);
    }
  }
  expect(titles).toBe([...text.matchAll(/“/g)].length - OTHER_QUOTES);
  expect(titles).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});
/** “title” and “No test yet” in the introduction. */
const OTHER_QUOTES = 2;

test("each threat has what holds it, and a test or the words that there is none", () => {
  expect(rows.length).toBeGreaterThan(70);
  const wrong = rows.filter(
    ([threat = "", held = "", tests = "", ...more]) =>
      !threat || !held || more.length > 0 || !/`test\/[^`]+`: “|no test yet/.test(tests),
  );
  expect(wrong).toEqual([]);
});
