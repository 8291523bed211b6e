import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { searchText } from "../../../server/tools/search-text.ts";
import type { ToolContext } from "../../../server/tools/tool.ts";
import { temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** A program in ripgrep's place. */
async function standIn(script: string): Promise<string> {
  const file = join(folder.path, "rg");
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

/** search_text over a repository whose listing is `files`. */
function search(
  ripgrep: string,
  files: Promise<ReadonlySet<string>>,
  ignored: Promise<ReadonlySet<string>> = Promise.resolve(new Set()),
) {
  const repo = { name: "code", root: folder.path };
  const workspace = { find: async () => repo, files: () => files, trackedIgnored: () => ignored };
  const index = { searchText: async () => undefined, tooLargeTexts: async () => [] };
  const context = {
    workspace,
    ripgrep,
    index,
    signal: new AbortController().signal,
  } as unknown as ToolContext;
  return searchText.run(searchText.input.parse({ query: "needle" }), context) as Promise<{
    matches: { path: string; line: number }[];
  }>;
}

const match = (line: number, path = "a.txt") =>
  JSON.stringify({
    type: "match",
    data: {
      path: { text: path },
      lines: { text: "needle\n" },
      line_number: line,
      submatches: [{ start: 0 }],
    },
  });

describe("search_text", () => {
  test("finds all matches when ripgrep ends before git has listed the tracked files that are ignored", async () => {
    const rg = await standIn(`printf '%s\\n' '${match(7)}'`);
    const ignored = new Promise<ReadonlySet<string>>((resolve) => setTimeout(resolve, 300, new Set()));
    const { matches } = await search(rg, Promise.resolve(new Set(["a.txt"])), ignored);
    expect(matches.map((found) => found.line)).toEqual([7]);
  });

  test("pauses ripgrep while git lists, however much it finds", async () => {
    const written = join(folder.path, "written");
    // Some 4 MB, of which only the last line is a file that git knows.
    const rg = await standIn(
      `n=0; while [ $n -lt 200 ]; do head -c 20000 /dev/zero | tr '\\0' '\\n'; n=$((n+1)); echo $n >${written}; done; printf '%s\\n' '${match(7)}'`,
    );
    const listing = Promise.withResolvers<ReadonlySet<string>>();
    const found = search(rg, listing.promise);
    let before = -1;
    // Two readings are equal, so ripgrep is paused.
    for (let now = 0; now === 0 || now !== before; ) {
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 150));
      now = Number(await readFile(written, "utf8").catch(() => "0"));
    }
    expect(before).toBeLessThan(20);
    listing.resolve(new Set(["a.txt"]));
    expect((await found).matches).toEqual([{ path: "a.txt", line: 7, column: 1, text: "needle" }]);
  });

  test.each([
    ["a banner", "Welcome to ripgrep"],
    ["half a message", '{"type":"match","data":{'],
    ["JSON that is no object", "null"],
    ["nothing", ""],
  ])("skips a line that is not a message: %s", async (_, line) => {
    const rg = await standIn(`printf '%s\\n' '${line}' '${match(1)}' '${line}' '${match(2)}'`);
    const { matches } = await search(rg, Promise.resolve(new Set(["a.txt"])));
    expect(matches.map((m) => m.line)).toEqual([1, 2]);
  });

  test("fails only the call when a message has another form", async () => {
    const rg = await standIn(`echo '{"type":"match"}'`);
    await expect(search(rg, Promise.resolve(new Set(["a.txt"])))).rejects.toThrow();
  });

  test("fails for a repository that git cannot list, even without matches", async () => {
    const broken = Promise.reject(new Error("git ls-files failed"));
    await expect(search(await standIn("exit 1"), broken)).rejects.toThrow("git ls-files failed");
    await expect(search(await standIn(`printf '%s\\n' '${match(1)}'`), broken)).rejects.toThrow(
      "git ls-files failed",
    );
  });
});
