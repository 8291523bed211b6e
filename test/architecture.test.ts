import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";

const PATH = /^(?:\.dependency-cruiser\.js|(?:cli|cloud-init|docs|infra|server|test)\/[\w./-]+|[\w-]+\.md)$/;

test("each path that docs/architecture.md names exists", async () => {
  const text = await readFile("docs/architecture.md", "utf8");
  const inCode = [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  const inPicture = [...text.matchAll(/(?<![\w/])(?:cli|cloud-init|infra|server)\/[\w./-]*/g)].map(
    ([path]) => path,
  );
  const plain = [...text.matchAll(/\bdocs\/[\w-]+\.md|\b[A-Z]+\.md\b/g)].map(([path]) => path);
  const paths = [...new Set([...inCode.filter((code) => PATH.test(code)), ...inPicture, ...plain])];
  expect(paths.length).toBeGreaterThan(40);
  const missing = paths.map((path) => path.replace(/\.$/, "")).filter((path) => !existsSync(path));
  expect(missing).toEqual([]);
});
