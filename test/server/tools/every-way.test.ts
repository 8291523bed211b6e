import { execFile } from "node:child_process";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { makeRepository, type RunningApp, temporaryFolder } from "../support.ts";
import { startWithEveryTool, WAYS } from "./arguments/ways.ts";

/** The kinds of files, names and histories on which tools of this sort fail, through each way to call one. */
const MIB = 1024 * 1024;
const NFC = "caf\u00e9";
const NFD = "cafe\u0301";
const FILES: Record<string, string | Buffer> = {
  ".gitignore": "dist/\n*.log\nsecret.env\n",
  "src/a.ts": "export class Account {\n  close() { return needle; }\n}\nconst needle = 1;\n",
  "src/b.js": "needle\n",
  "src/view.tsx": "needle\n",
  "src/a.test.ts": "needle\n",
  "app/[slug]/page.tsx": "export const slug = 1;\n",
  "app/(group)/{x}.ts": "export const group = 1;\n",
  "crlf.c": "int foo;\r\nint bar;\r\n",
  "lf.c": "int foo;\nint bar;\n",
  "wide-le.ps1": Buffer.from("\ufeffWrite-Host sixteen\r\n", "utf16le"),
  "wide-be.ps1": Buffer.from("\ufeffWrite-Host sixteen\r\n", "utf16le").swap16(),
  "wide-no-mark.txt": Buffer.from("sixteen bits\r\n", "utf16le"),
  "latin1.txt": Buffer.from("Gr\u00f6\u00dfe in latin1\n", "latin1"),
  "bom.ts": "\ufeffexport const marked = 1;\n",
  "menu-composed.txt": `${NFC} au lait\n`,
  "menu-decomposed.txt": `${NFD} au lait\n`,
  [`${NFD}/list.txt`]: "croissant\n",
  "chinese.md": "这里说明用户登录的处理方式\n",
  "one-line.json": `{"data":"${"x".repeat(200_000)}end"}`,
  "large.ts": `${"// filler of a large file\n".repeat((5 * MIB) / 25)}export function deep() {}\n`,
  "api.py": '@app.route("/x")\n@cached\ndef shown():\n    return 1\n',
  "gone.ts": "export const gone = 1;\n",
  "late.bin": Buffer.from(`${"text\n".repeat(4_000)}\0after-the-nul\n`),
  "binary.dat": Buffer.from("hidden\0needle-in-binary"),
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
const run = promisify(execFile);
const repository = (name: string) => join(folder.path, "workspace", name);
const git = async (name: string, ...args: string[]) =>
  (
    await run("git", [
      "-c",
      "user.name=T",
      "-c",
      "user.email=t@example.test",
      "-C",
      repository(name),
      ...args,
    ])
  ).stdout.trim();

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(repository("code"), FILES);
  await mkdir(join(repository("code"), "dist"));
  await writeFile(join(repository("code"), "dist/x.js"), "needle in dist\n");
  await writeFile(join(repository("code"), "dist/secret.js"), "needle in secret\n");
  await git("code", "add", "--force", "dist/x.js");
  await git("code", "commit", "--quiet", "--message=Build");
  await git("code", "tag", "v1");
  // A branch that only a remote has, as after a clone.
  await git("code", "checkout", "--quiet", "-b", "feature");
  await rename(join(repository("code"), "lf.c"), join(repository("code"), "renamed.c"));
  await git("code", "add", "--all", "--", "lf.c", "renamed.c");
  await git("code", "commit", "--quiet", "--message=Rename");
  await git("code", "checkout", "--quiet", "main");
  await git("code", "update-ref", "refs/remotes/origin/feature", "feature");
  await git("code", "branch", "--quiet", "-D", "feature");
  await git("code", "merge", "--quiet", "--no-ff", "--message=Merge", "origin/feature");
  await rm(join(repository("code"), "gone.ts"));
  await writeFile(join(repository("code"), "untracked.ts"), "export const fresh = 1;\n");

  await run("git", ["clone", "--quiet", "--depth=1", `file://${repository("code")}`, repository("shallow")]);
  await run("git", [
    "init",
    "--quiet",
    "--object-format=sha256",
    "--initial-branch=main",
    repository("sha256"),
  ]);
  await writeFile(join(repository("sha256"), "a.txt"), "one\n");
  await git("sha256", "add", "--all");
  await git("sha256", "commit", "--quiet", "--message=First");

  running = await startWithEveryTool(folder.path, 3);
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

type Case = [tool: string, args: Record<string, unknown>, expected: RegExp | RegExp[], absent?: RegExp];
const CASES: Record<string, Case[]> = {
  "tracked files that an ignore rule names": [
    ["search_text", { query: "needle" }, /dist\/x\.js/, /secret/],
    ["search_text", { query: "needle", path: "dist" }, /dist\/x\.js/, /secret/],
    [
      "search_text",
      { query: "needle", globs: "*.js", output: "files" },
      [/dist\/x\.js/, /src\/b\.js/],
      /secret/,
    ],
    ["list_files", { glob: "dist/**" }, /dist\/x\.js/, /secret/],
    ["read_file", { path: "dist/x.js" }, /needle in dist/],
  ],
  "braces, brackets and exclamation marks in globs": [
    ["list_files", { glob: "*.{ts,tsx}" }, [/src\/a\.ts/, /src\/view\.tsx/], /b\.js/],
    ["list_files", { glob: "src/**/*.{js,mjs}" }, /src\/b\.js/, /a\.ts/],
    ["list_files", { glob: "!*.test.ts" }, /src\/a\.ts/, /a\.test\.ts/],
    ["list_files", { glob: "app/[slug]/*.tsx" }, /app\/\[slug\]\/page\.tsx/],
    ["list_files", { glob: "app/(group)/*" }, /\{x\}\.ts/],
    [
      "search_text",
      { query: "needle", globs: ["*.{ts,tsx}", "!*.test.ts"] },
      [/a\.ts/, /view\.tsx/],
      /a\.test/,
    ],
    ["search_text", { query: "slug", globs: "./app/[slug]/*.tsx" }, /page\.tsx/],
    ["search_text", { query: "needle", globs: ["src/", "!*.test.ts"] }, /b\.js/, /a\.test|dist/],
    ["search_text", { query: "needle", globs: "!src" }, /dist\/x\.js/, /src\//],
    ["search_text", { query: "croissant", globs: `${NFC}/*` }, /list\.txt/],
    ["search_text", { query: "needle", globs: "@(a|b).*" }, [/src\/a\.ts/, /src\/b\.js/], /view/],
    ["list_files", { path: "src", glob: "src/*.js" }, [/src\/b\.js/, /from the root of the repository/]],
  ],
  CRLF: [
    ["search_text", { query: "foo;$", regex: true }, [/crlf\.c/, /renamed\.c/]],
    ["search_text", { query: "int foo;\nint bar;" }, [/crlf\.c/, /renamed\.c/, /"end_line":2/]],
    ["search_text", { query: "foo;\\nint", regex: true }, [/crlf\.c/, /renamed\.c/]],
    ["search_text", { query: "foo;$", regex: true, output: "count" }, /"path":"crlf\.c","matches":1/],
    ["read_file", { path: "crlf.c" }, /"text":"int foo;\\nint bar;"/],
    ["search_text", { query: "foo;\\r$", regex: true }, /crlf\.c/, /renamed/],
    ["search_text", { query: "foo;\\r\\n", regex: true }, /crlf\.c/, /renamed/],
    ["git_blame", { path: "crlf.c" }, /"text":"int foo;\\nint bar;"/],
  ],
  "UTF-16 and byte order marks": [
    ["search_text", { query: "sixteen" }, [/wide-le\.ps1/, /wide-be\.ps1/]],
    ["read_file", { path: "wide-le.ps1" }, /"text":"Write-Host sixteen"/],
    ["read_file", { path: "wide-be.ps1" }, /"text":"Write-Host sixteen"/],
    ["git_blame", { path: "wide-le.ps1" }, /"text":"Write-Host sixteen"/],
    ["git_blame", { path: "wide-be.ps1", revision: "v1" }, /"text":"Write-Host sixteen"/],
    ["git_blame", { path: "binary.dat" }, /The file is binary/],
    ["read_file", { path: "bom.ts" }, /"text":"export const marked/],
    ["search_text", { query: "^export const marked", regex: true }, /bom\.ts/],
    ["find_symbol", { name: "marked" }, /bom\.ts/],
  ],
  "Unicode forms and languages without blanks": [
    ["search_text", { query: `${NFC} au` }, [/composed/, /decomposed/]],
    ["search_text", { query: `${NFD} au` }, [/menu-composed/, /menu-decomposed/]],
    ["search_text", { query: `^${NFC}`, regex: true }, [/menu-composed/, /menu-decomposed/]],
    ["read_file", { path: `${NFC}/list.txt` }, /croissant/],
    ["read_file", { path: `${NFC}/list.txt`, revision: "v1" }, /croissant/],
    ["git_log", { path: "code/SRC\\a.ts" }, /"subject":"First"|"commits":\[\{/],
    ["git_blame", { path: "Src/B.js", revision: "v1" }, /needle/],
    ["git_diff", { from: "v1", to: "main", path: "LF.c" }, /"renamed_from":"lf\.c"/],
    ["read_file", { path: "b/src/b.js" }, /needle/],
    ["read_file", { path: "`src/b.js`" }, /needle/],
    ["read_file", { path: "app/%5Bslug%5D/page.tsx" }, /slug/],
    ["read_file", { path: "src/../src/b.js" }, /needle/],
    ["list_files", { glob: `${NFC}/*` }, /list\.txt/],
    ["find_files", { query: `${NFC}/list` }, /list\.txt/],
    ["search_text", { query: "登录" }, /chinese\.md/],
    ["search", { query: "用户登录在哪里处理" }, /chinese\.md/],
    ["search", { query: "登录" }, /chinese\.md/],
  ],
  "long lines and large files": [
    ["search_text", { query: 'end"}' }, /one-line\.json/],
    ["read_file", { path: "one-line.json", max_answer_chars: 1000 }, /"next_line":1,"next_column":\d+/],
    ["read_file", { path: "one-line.json", start_column: 200_000 }, /xend"}"/],
    ["fetch", { id: "code:one-line.json" }, /"next":"code:one-line\.json#L1C\d+-L1"/],
    ["fetch", { id: "code:one-line.json#L1C200000-L1" }, [/xend"}"/, /"next":""/]],
    ["search_text", { query: "function deep" }, /large\.ts/],
    ["find_symbol", { name: "deep" }, /large\.ts \(larger than/],
  ],
  "qualified names, decorators": [
    ["find_symbol", { name: "Account.close" }, /Account\/close/],
    ["find_symbol", { name: "src/a.ts/Account" }, /"Account"/],
    ["find_symbol", { name: "export class Account" }, /"Account"/],
    ["find_symbol", { name: "Acc*" }, /"Account"/],
    ["go_to_definition", { path: "src/a.ts:2:20" }, /"name":"needle"/],
    ["find_symbol", { name: "shown", include_body: true }, /"body":"@app\.route/],
  ],
  "tags, branches and remotes by name": [
    ["list_repos", {}, [/"branches":\["main","origin\/feature"\]/, /"tags":\["v1"\]/]],
    ["git_log", { revision: "feature", max_results: 1 }, /"subject":"Rename"/],
    ["git_log", { revision: "origin/feature~1", max_results: 1 }, /"subject":"Build"/],
    ["git_log", { revision: "V1", max_results: 1 }, /"subject":"Build"/],
    ["git_log", { revision: "v1..main" }, [/"Merge"/, /"Rename"/], /"Build"/],
    ["git_diff", { from: "v1", to: "HEAD" }, /"renamed_from":"lf\.c"/],
    ["git_diff", { commit: "v1..feature" }, /"renamed_from":"lf\.c"/],
    ["git_diff", { from: "v1", to: "feature", path: "renamed.c" }, /"renamed_from":"lf\.c"/],
    ["read_file", { path: "lf.c", revision: "v1" }, /int foo/],
    ["git_log", { revision: "featrue" }, /Similar names: feature|origin\/feature/],
  ],
  "merges, shallow histories, SHA-256, new files": [
    ["git_diff", { commit: "main" }, /This is a merge, compared with its first parent/],
    ["git_log", { repo: "shallow" }, /shallow history/],
    ["git_blame", { repo: "shallow", path: "lf.c", revision: "v1" }, /shallow history/],
    [
      "git_diff",
      { repo: "shallow", commit: "HEAD", stat_only: true },
      /parent of this commit is not in this shallow copy/,
    ],
    ["git_diff", { repo: "sha256", commit: "HEAD" }, [/"from":"[0-9a-f]{64}"/, /\+one/]],
    ["git_log", { repo: "sha256" }, /"commit":"[0-9a-f]{64}"/],
    ["git_diff", {}, /New files that git does not track yet are not in the diff: untracked\.ts/],
    ["git_blame", { path: "untracked.ts" }, /not committed yet/],
    ["read_file", { path: "untracked.ts" }, /fresh/],
    ["git_log", { revision: "v1...main" }, [/"Merge"/, /"Rename"/], /"Build"/],
  ],
};

/** Why a tool found nothing. */
const EMPTY: Case[] = [
  ["list_files", { glob: "*.TS" }, /No file matches the glob .* In another case: .*src\/a\.ts/],
  ["list_files", { glob: "**/vieew.tsx" }, /Similar names: src\/view\.tsx/],
  ["list_files", { path: "dist", glob: "*.css" }, /ignores are not served/],
  ["find_files", { query: "zzzview.tsx" }, /Similar names: src\/view\.tsx/],
  ["find_files", { query: "b.js", path: "app" }, /Outside of "app": src\/b\.js/],
  [
    "search_text",
    { query: "NEEDLE" },
    /With "case": "insensitive" it is in src\/a\.ts \(2\), .* and 2 more files/,
  ],
  ["search_text", { query: "need.e" }, /As a regular expression \("regex": true\)/],
  [
    "search_text",
    { query: 'route("/x")', regex: true },
    /As literal text \("regex": false\) it is in api\.py/,
  ],
  ["search_text", { query: "needle", globs: ["*.rs"] }, /No file matches the globs \["\*\.rs"\]/],
  ["search_text", { query: "needle", path: "app" }, /Outside of path and globs it is in/],
  [
    "search_text",
    { query: "needle-in-binary" },
    /Binary or larger than 16 MiB, and with a match: binary\.dat/,
  ],
  ["search_text", { query: "return  needle" }, /With other blanks .* src\/a\.ts/],
  ["search_text", { query: "view.tsx" }, /Names of files have it: src\/view\.tsx/],
  ["search_text", { query: "nowhere-at-all" }, /ignored files are not searched/],
  [
    "search_structural",
    { pattern: "f($A)", language: "css" },
    /no css files here\. Not searched: typescript/,
  ],
  [
    "symbols_overview",
    { path: "chinese.md" },
    /Files without a grammar here have no symbols: \.md|no symbols/,
  ],
  ["find_symbol", { name: "Acount" }, /Similar names: .*Account/],
  ["find_symbol", { name: "Account", kinds: ["trait"] }, /Without them: src\/a\.ts:1: class Account/],
  ["search_text", { query: "/NEED.E/i" }, /With "query": "NEED\.E" and "regex": true it is in/],
  ["search_text", { query: "needle\\|zzz", regex: true }, /With "query": "needle\|zzz"/],
  ["search_text", { query: "(?=a)b", regex: true }, /no look-around/],
  ["search_text", { query: "(", regex: true }, /send "regex": false/],
  ["search_text", { query: "after-the-nul" }, /Binary or larger than 16 MiB, and with a match: late\.bin/],
  [
    "search_text",
    { query: "sixteen bits" },
    /Read as UTF-16 without a byte order mark, it is in wide-no-mark/,
  ],
  [
    "search_text",
    { query: "gr\u00f6\u00dfe" },
    /Read as Latin-1 \(Windows-1252\), it is in latin1\.txt \(1\)/,
  ],
  ["search_text", { query: "in latin1" }, /latin1\.txt/],
  ["search", { query: "deep" }, /Not searched: \d+ files, such as large\.ts/],
  ["symbols_overview", { path: "large.ts" }, /not in the index, or without symbols/],
  ["go_to_definition", { path: "src/a.ts", line: 1, symbol: "needle" }, /It is on line 2, 4/],
  ["read_file", { path: "a.ts" }, /Similar names: src\/a\.ts/],
  ["read_file", { path: "gone.ts" }, /deleted in the work tree .*"revision": "HEAD"/],
  ["git_log", { message: "no.*such" }, /message and author are literal/],
  ["find_references", { name: "Acount" }, /Similar names: .*Account/],
  ["repo_map", { path: "crlf.c" }, /./],
  ["git_log", { path: "no/such.ts" }, /no commit before it changed such a path/],
  ["git_log", { author: "Nobody" }, /No commit matches author "Nobody"/],
  ["git_log", { until: "1990-01-01" }, /until was understood as 1990-01-01/],
  ["git_diff", { from: "HEAD", to: "HEAD" }, /same commit/],
  ["git_diff", { path: "no/such.ts" }, /in neither revision/],
  ["git_blame", { path: "lf.c", revision: "v1", start_line: 99 }, /has 2 lines/],
  ["read_file", { path: "renamed.c", start_line: 99 }, /has 2 lines/],
  ["read_file", { path: "binary.dat" }, /binary/],
  ["search", { query: "zzzzqqqq" }, /No passage of 3 repositories has these words/],
];

describe.each(Object.entries(WAYS))("%s", (_, call) => {
  /** The calls whose answers lack what is expected, or have what must be absent, with these answers. */
  const failures = async (cases: readonly Case[]) => {
    const failed: unknown[] = [];
    for (const [tool, args, expected, absent] of cases) {
      const repo = ["search", "fetch", "list_repos"].includes(tool) ? {} : { repo: "code" };
      const answer = JSON.stringify(await call(running, tool, { ...repo, ...args })).replaceAll('\\"', '"');
      const isRight = [expected].flat().every((one) => one.test(answer)) && !absent?.test(answer);
      if (!isRight) failed.push([tool, args, expected, answer.slice(0, 2_000)]);
    }
    return failed;
  };
  test.each(Object.entries(CASES))("handles %s", async (_kind, cases) => {
    expect(await failures(cases)).toEqual([]);
  });

  test("says why nothing was found, and what to try", async () => {
    expect(await failures(EMPTY)).toEqual([]);
  });
});

test("the folder of a name that git ignores is not listed, and says so", async () => {
  await mkdir(dirname(join(repository("code"), "build.log/x")), { recursive: true });
  await writeFile(join(repository("code"), "build.log/x"), "needle\n");
  const answer = await WAYS["/api"]?.(running, "list_files", { repo: "code", path: "build.log" });
  expect(JSON.stringify(answer)).toMatch(/is ignored by git/);
  await rm(join(repository("code"), "build.log"), { recursive: true });
});
