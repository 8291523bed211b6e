import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { wordsOf } from "../../../server/index/queries/search.ts";
import { fetchDocument, parseId } from "../../../server/tools/fetch.ts";
import { search } from "../../../server/tools/search.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

let fixture: Fixture;
let head: string;
beforeAll(async () => {
  fixture = await makeCodeFixture({
    ".gitignore": "secret.env\n",
    "src/session.ts":
      "/** Keeps what a client said when it opened its session. */\nexport class SessionStore {\n  evict(idle: number): void {}\n}\n",
    "docs/guide.md": `${"filler\n".repeat(100)}How sessions are evicted when they are idle for long.\n`,
  });
  const git = async (...args: string[]) =>
    (await promisify(execFile)("git", ["-C", join(fixture.path, "code"), ...args])).stdout.trim();
  await git("remote", "add", "origin", "git@github.com:owner/name.git");
  head = await git("rev-parse", "HEAD");
});
afterAll(() => fixture.remove());

interface Result {
  id: string;
  title: string;
  url: string;
}
const results = async (query: string) => (await fixture.call(search, { query })).results as Result[];

test("search has exactly the arguments and results that ChatGPT requires", async () => {
  expect(Object.keys(search.input.shape)).toEqual(["query"]);
  const answer = await fixture.call(search, { query: "SessionStore" });
  expect(Object.keys(answer)).toEqual(["results"]);
  const [first] = answer.results as Result[];
  expect(first).toEqual({
    id: "code:src/session.ts#L1-L4",
    title: "code/src/session.ts:1 class SessionStore",
    url: `https://github.com/owner/name/blob/${head}/src/session.ts#L1-L4`,
  });
});

test("search finds the lines with most words of the query, and returns an empty list for none", async () => {
  const [first] = await results("how are idle sessions evicted?");
  expect(first?.id).toBe("code:docs/guide.md#L81-L101");
  expect(first?.title).toContain("How sessions are evicted when they are idle for long.");
  expect(await results("zzzzqqq")).toEqual([]);
  expect(await results("???")).toEqual([]);
  expect(await results('"OR NOT (a* ^b')).toEqual([]);
});

test("fetch returns a result of search, with the same URL", async () => {
  for (const { id, url } of await results("SessionStore evicted")) {
    const document = await fixture.call(fetchDocument, { id });
    expect(Object.keys(document)).toEqual(["id", "title", "text", "url", "metadata"]);
    expect(document).toMatchObject({ id, url, metadata: { repo: "code", commit: head } });
    expect((document.text as string).length).toBeGreaterThan(10);
  }
  expect(Object.keys(fetchDocument.input.shape)).toEqual(["id"]);
});

test("fetch returns a whole file, or continues one that was cut", async () => {
  expect(await fixture.call(fetchDocument, { id: "code:src/session.ts" })).toMatchObject({
    text: expect.stringMatching(/^\/\*\* Keeps[\s\S]*\}$/),
    url: `https://github.com/owner/name/blob/${head}/src/session.ts#L1-L4`,
    metadata: { next: "", total_lines: "4" },
  });
  expect(await fixture.call(fetchDocument, { id: "code:docs/guide.md#L1-L2" })).toMatchObject({
    text: "filler\nfiller",
    metadata: { next: "code:docs/guide.md#L3-L101" },
  });
});

test.each([
  ["nonsense", "is not an id of search"],
  ["other:a.ts", "There is no repository"],
  ["code:../x", 'contains ".."'],
  ["code:secret.env", "ignored by git"],
  ["code:.git/config", "files of git itself"],
])("fetch: %s is refused", async (id, message) => {
  await expect(fixture.call(fetchDocument, { id })).rejects.toThrow(message);
});

test("an id can contain any file name", () => {
  expect(parseId("r:a b#c.ts#L3-L9")).toEqual({ repo: "r", path: "a b#c.ts", from: 3, to: 9, column: 1 });
  expect(parseId("r:C:/x.ts#L3")).toEqual({ repo: "r", path: "C:/x.ts", from: 3, to: undefined, column: 1 });
  expect(parseId("r:a.ts#L3C7-L9")).toEqual({ repo: "r", path: "a.ts", from: 3, to: 9, column: 7 });
});

test("a query is split into words", () => {
  expect(wordsOf("How does the Session.evict() work?")).toEqual(["Session.evict", "work"]);
  expect(wordsOf("it is")).toEqual(["it", "is"]);
});
