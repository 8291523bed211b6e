import { execFile } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { appendFile, chmod, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TOOLS } from "../../../server/tools/index.ts";
import { viewOf } from "../../../server/workspace/git/view.ts";
import { git } from "../../../server/workspace/git.ts";
import {
  eventually,
  makeRepository,
  openSession,
  type RunningApp,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";
import { type FakeService, startEmbeddingService } from "../tools/embedding-service.ts";

const run = promisify(execFile);

/** Every setting of git-config(1) that names a program. */
const PROGRAMS = [
  ...["core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "core.gitProxy"],
  ...["core.alternateRefsCommand", "credential.helper", "credential.https://example.com.helper"],
  ...[
    "gpg.program",
    "gpg.openpgp.program",
    "gpg.ssh.program",
    "gpg.x509.program",
    "gpg.ssh.defaultKeyCommand",
  ],
  ...["diff.external", "diff.evil.textconv", "diff.ext.command", "diff.markdown.textconv"],
  ...["difftool.evil.cmd", "difftool.evil.path", "mergetool.evil.cmd", "mergetool.evil.path"],
  ...["merge.evil.driver", "merge.default.driver"],
  ...[
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.proc.process",
    "filter.lfs.clean",
    "filter.lfs.process",
  ],
  ...["interactive.diffFilter", "sequence.editor", "uploadpack.packObjectsHook", "gc.recentObjectsHook"],
  ...["pager.log", "pager.diff", "pager.blame", "pager.status", "pager.config", "pager.ls-files"],
  ...["trailer.evil.command", "trailer.evil.cmd", "submodule.sub.update", "remote.origin.uploadpack"],
  ...[
    "remote.origin.receivepack",
    "tar.evil.command",
    "browser.evil.cmd",
    "browser.evil.path",
    "man.evil.cmd",
  ],
  ...["guitool.evil.cmd", "instaweb.httpd", "imap.tunnel", "sendemail.smtpServer", "sendemail.toCmd"],
  ...[
    "sendemail.sendmailCmd",
    "web.browser",
    "help.browser",
    "rebase.instructionFormat",
    "notes.rewriteMode",
  ],
];
/** Settings that open a way to one of those, or to a file outside of the repository. */
const OPENERS = (evil: string): [string, string][] => [
  ["core.hooksPath", join(evil, "hooks")],
  ["core.attributesFile", join(evil, "attributes")],
  ["core.excludesFile", join(evil, "secret")],
  ["core.worktree", evil],
  ["blame.ignoreRevsFile", join(evil, "secret")],
  ["diff.orderFile", join(evil, "secret")],
  ["mailmap.file", join(evil, "secret")],
  ["init.templateDir", evil],
  ["protocol.allow", "always"],
  ["protocol.ext.allow", "always"],
  ["extensions.partialClone", "origin"],
  ["remote.origin.promisor", "true"],
  ["remote.origin.url", `ext::${evil}/traps/remote.origin.url`],
  ["remote.other.vcs", "evil"],
  ["url.ext::evil.insteadOf", "https://"],
  ["core.repositoryFormatVersion", "1"],
  ["extensions.worktreeConfig", "true"],
  ["filter.evil.required", "true"],
  ["filter.lfs.required", "true"],
  ["diff.tool", "evil"],
  ["merge.tool", "evil"],
  ["log.showSignature", "true"],
  ["log.follow", "true"],
  ["diff.submodule", "log"],
  ["diff.ignoreSubmodules", "none"],
  ["status.submoduleSummary", "true"],
  ["submodule.recurse", "true"],
  ["trailer.evil.key", "Signed-off-by"],
  ["core.fsmonitorHookVersion", "1"],
  ["core.untrackedCache", "true"],
  ["core.splitIndex", "true"],
  ["gc.auto", "1"],
];
const HOOKS =
  "applypatch-msg commit-msg fsmonitor-watchman p4-changelist post-applypatch post-checkout post-commit post-index-change post-merge post-receive post-rewrite post-update pre-applypatch pre-auto-gc pre-commit pre-merge-commit pre-push pre-rebase pre-receive prepare-commit-msg proc-receive push-to-checkout query-watchman reference-transaction sendemail-validate update";
const COMMANDS = [
  "blame",
  "cat-file",
  "config",
  "diff",
  "for-each-ref",
  "log",
  "ls-files",
  "ls-tree",
  "status",
];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let service: FakeService;
let evil: string;
let sample: string;
const environment = { PATH: process.env.PATH, HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
const plain = (root: string, ...args: string[]) =>
  // Nothing waits for this process's own standard input.
  run(
    "sh",
    ["-c", 'exec git -c user.name=T -c user.email=t@example.test -C "$@" </dev/null', "sh", root, ...args],
    {
      env: environment,
      timeout: 60_000,
    },
  );
/** The settings whose programs ran. */
const ran = async () =>
  [...new Set((await readFile(join(evil, "ran"), "utf8").catch(() => "")).split("\n"))].filter(Boolean);

beforeAll(async () => {
  folder = await temporaryFolder();
  service = await startEmbeddingService();
  evil = join(folder.path, "evil");
  sample = join(folder.path, "workspace", "sample");
  await mkdir(join(evil, "hooks"), { recursive: true });
  await mkdir(join(evil, "traps"));
  await writeFile(join(evil, "trap"), `#!/bin/sh\nbasename "$0" >>${evil}/ran\nexec timeout 1 cat\n`);
  await chmod(join(evil, "trap"), 0o755);
  await writeFile(join(evil, "secret"), "the-secret-line\n");
  await writeFile(join(evil, "attributes"), "* filter=evil diff=evil\n");
  await makeRepository(sample, {
    "a.txt": "one needle\n",
    "b.dat": "two needle\n",
    "c.md": "three needle\n",
    "code.ts": 'export function needle() {\n  return "needle";\n}\nneedle();\n',
    "lost.txt": "lost one\n",
    secret: "tracked needle\n",
    ".gitattributes": "*.txt filter=evil diff=evil\n*.dat filter=proc diff=markdown\n*.md filter=lfs\n",
  });
  await writeFile(join(sample, "lost.txt"), "lost two\n");
  await plain(sample, "commit", "--quiet", "--all", "--message=Second");
  await plain(sample, "tag", "v1");
  await embed(sample);
  await sign(sample);
  await plain(sample, "worktree", "add", "--quiet", join(folder.path, "workspace", "linked"), "-b", "linked");
  // A partial clone would fetch it.
  const { stdout } = await plain(sample, "rev-parse", "HEAD~2:lost.txt");
  await rm(join(sample, ".git/objects", stdout.slice(0, 2), stdout.trim().slice(2)));
  for (const root of [sample, join(sample, "sub")]) await plant(root, join(root, ".git"));
  await plantWorktree(join(sample, ".git/worktrees/linked"));
});
afterAll(async () => {
  await service.close();
  await folder.remove();
});

/** A repository inside, known to the outer one as a submodule. */
async function embed(root: string): Promise<void> {
  await makeRepository(join(root, "sub"), { "inner.txt": "inner needle\n" });
  await plain(root, "add", "sub");
  await writeFile(join(root, ".gitmodules"), '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n');
  await plain(root, "add", ".gitmodules");
  await plain(root, "commit", "--quiet", "--message=Submodule");
}

/** The newest commit once more, with a signature. */
async function sign(root: string): Promise<void> {
  const { stdout } = await plain(root, "cat-file", "commit", "HEAD");
  const signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----";
  await writeFile(join(evil, "commit"), stdout.replace("\n\n", `\n${signature}\n\n`));
  const made = await plain(root, "hash-object", "-t", "commit", "-w", join(evil, "commit"));
  await plain(root, "update-ref", "HEAD", made.stdout.trim());
}

/** A program that leaves `name` behind. */
function trap(name: string): string {
  const file = join(evil, "traps", name.replaceAll("/", "_"));
  if (!existsSync(file)) symlinkSync("../trap", file);
  return file;
}

function configuration(): string {
  const settings: [string, string][] = [
    ...PROGRAMS.map((key): [string, string] => [key, `${key.endsWith(".update") ? "!" : ""}${trap(key)}`]),
    ...COMMANDS.map((name): [string, string] => [`alias.${name}`, `!${trap(`alias.${name}`)}`]),
    ...OPENERS(evil),
  ];
  trap("remote.origin.url");
  return settings
    .map(([key, value]) => {
      const [, section, sub, name] = /^([^.]+)\.(?:(.+)\.)?([^.]+)$/.exec(key) ?? [];
      return `[${section}${sub === undefined ? "" : ` ${JSON.stringify(sub)}`}]\n\t${name} = ${JSON.stringify(value)}\n`;
    })
    .join("");
}

/** All settings at once, in the configuration itself and in the files that it can include. */
async function plant(root: string, gitDir: string): Promise<void> {
  await writeFile(join(gitDir, "included"), configuration());
  await appendFile(
    join(gitDir, "config"),
    `[include]\n\tpath = included\n[includeIf "gitdir:/"]\n\tpath = ${gitDir}/included\n${configuration()}`,
  );
  await writeFile(join(gitDir, "config.worktree"), configuration());
  await writeFile(join(gitDir, "info/attributes"), "*.ts diff=evil filter=evil\n");
  for (const place of [join(gitDir, "hooks"), join(evil, "hooks")])
    for (const hook of HOOKS.split(" ")) {
      await mkdir(place, { recursive: true });
      await writeFile(join(place, hook), `#!/bin/sh\nexec ${trap(`hook.${hook}`)}\n`);
      await chmod(join(place, hook), 0o755);
    }
  await touch(root);
}

async function plantWorktree(gitDir: string): Promise<void> {
  await writeFile(join(gitDir, "config.worktree"), configuration());
  await writeFile(join(gitDir, "config"), configuration());
}

/** Files that look changed make git compare them, through their filters. */
async function touch(root: string): Promise<void> {
  for (const name of await readdir(root))
    if (/\.(txt|dat|md|ts)$/.test(name))
      await utimes(join(root, name), new Date(), new Date(Math.random() * 1e12));
}

/** Arguments for each tool. A tool without any fails the test. */
const CALLS: Readonly<Record<string, Record<string, unknown>[]>> = {
  list_repos: [{}],
  list_files: [{}, { glob: "**/*.txt" }],
  find_files: [{ query: "a" }],
  read_file: [{ path: "a.txt" }, { path: "a.txt", revision: "HEAD~1" }, { path: "lost.txt", revision: "v1" }],
  search_text: [{ query: "needle" }],
  search_structural: [{ pattern: "needle()", language: "typescript" }],
  search_semantic: [{ query: "needle" }],
  symbols_overview: [{ path: "code.ts" }],
  find_symbol: [{ name: "needle" }],
  find_references: [{ name: "needle" }],
  go_to_definition: [{ path: "code.ts", line: 4, column: 1 }],
  call_hierarchy: [{ name: "needle" }],
  explore: [{ query: "needle" }],
  repo_map: [{}],
  git_log: [
    {},
    { path: "a.txt" },
    { changed_text: "lost" },
    { author: "T", message: "S", since: "2000-01-01" },
    { revision: "v1" },
  ],
  git_diff: [
    {},
    { from: "v1" },
    { from: "v1", to: "HEAD" },
    { commit: "HEAD" },
    { commit: "HEAD~2", path: "lost.txt" },
    { from: "HEAD", stat_only: true },
  ],
  git_blame: [{ path: "a.txt" }, { path: "lost.txt" }, { path: "a.txt", revision: "v1" }],
  search: [{ query: "needle" }],
  fetch: [{ id: "sample:a.txt" }, { id: "repo://sample/a.txt" }],
};

async function post(running: RunningApp, tool: string, args: object): Promise<string> {
  const response = await fetch(`${running.origin}/api/tools/${tool}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(args),
  });
  return response.text();
}

async function prompt(running: RunningApp, session: string, name: string, args: Record<string, string>) {
  const body = { jsonrpc: "2.0", id: 7, method: "prompts/get", params: { name, arguments: args } };
  return (await rpc(running.origin, body, { "mcp-session-id": session })).text();
}

test("plain git runs the programs of the traps", async () => {
  // Each runs alone, since the first one that fails hides the others.
  const without = (...keys: string[]) => keys.flatMap((key) => ["-c", `${key}=`]);
  const attempts = [
    ["status"],
    ["diff"],
    [...without("core.fsmonitor"), `--work-tree=${sample}`, "cat-file", "--textconv", "v1:a.txt"],
    [...without("core.fsmonitor", "diff.external"), `--work-tree=${sample}`, "status"],
    [...without("core.fsmonitor", "diff.external"), `--work-tree=${sample}`, "diff", "v1", "HEAD"],
    [...without("core.fsmonitor"), `--work-tree=${sample}`, "diff", "--ext-diff", "v1", "HEAD"],
    [...without("core.fsmonitor"), `--work-tree=${sample}`, "log", "-1"],
    [...without("core.fsmonitor"), `--work-tree=${sample}`, "cat-file", "-p", "v1~1:lost.txt"],
    [...without("core.fsmonitor"), `--work-tree=${sample}`, "update-ref", "refs/heads/x", "HEAD"],
  ];
  for (const args of attempts) await plain(sample, ...args).catch(() => undefined);
  expect(await ran()).toEqual(
    expect.arrayContaining([
      "core.fsmonitor",
      "filter.evil.clean",
      "diff.evil.textconv",
      "diff.external",
      "gpg.openpgp.program",
      "remote.origin.url",
      "hook.reference-transaction",
    ]),
  );
});

describe.each(["sample", "linked"])("in a repository with traps: %s", (repo) => {
  let running: RunningApp;
  beforeAll(async () => {
    await rm(join(evil, "ran"), { force: true });
    await touch(join(folder.path, "workspace", repo));
    running = await startApp({
      WORKSPACE_DIR: join(folder.path, "workspace"),
      INDEX_DIR: join(folder.path, `index-${repo}`),
      INDEX_POLL_SECONDS: "1",
      EMBEDDINGS_URL: service.url.href,
    });
    await running.app.start();
    await eventually(
      () => running.app.capabilities.has("index") && running.app.capabilities.has("embeddings"),
      "the index",
    );
  });
  afterAll(() => running?.app.close());

  test.each(TOOLS.map((tool) => [tool.name, tool] as const))("%s runs no program", async (name, tool) => {
    expect(CALLS).toHaveProperty(name);
    for (const given of CALLS[name] ?? []) {
      const args = "repo" in tool.input.shape ? { repo, ...given } : given;
      expect(tool.input.strict().parse(args)).toBeDefined();
      await touch(join(folder.path, "workspace", repo));
      expect(await post(running, name, args)).not.toContain("the-secret-line");
    }
    expect(await ran()).toEqual([]);
  });

  test("prompts, resources, readiness and the index run no program", async () => {
    const session = await openSession(running.origin);
    expect(await prompt(running, session, "review_diff", { repo, base: "v1" })).toContain("diff --git");
    await prompt(running, session, "tour", { repo });
    const read = { jsonrpc: "2.0", id: 8, method: "resources/read", params: { uri: `repo://${repo}/a.txt` } };
    expect(await (await rpc(running.origin, read, { "mcp-session-id": session })).text()).toContain("needle");
    expect((await running.app.readiness.probe()).ready).toBe(true);
    await writeFile(join(folder.path, "workspace", repo, "a.txt"), "changed needle\n");
    await writeFile(join(folder.path, "workspace", repo, "fresh.ts"), "export class Fresh {}\n");
    while (!(await post(running, "find_symbol", { repo, name: "Fresh" })).includes("fresh.ts"))
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await ran()).toEqual([]);
  });
});

describe("the view of a repository", () => {
  test("uses the repository's object format and core.fileMode, also after a change", async () => {
    const root = join(folder.path, "stores");
    await run("git", ["init", "--quiet", "--object-format=sha256", root]);
    await writeFile(join(root, "a.txt"), "one\n");
    await plain(root, "add", "a.txt");
    await plain(root, "commit", "--quiet", "--message=One");
    expect((await git(root, ["rev-parse", "HEAD"])).toString().trim()).toMatch(/^[0-9a-f]{64}$/);
    await chmod(join(root, "a.txt"), 0o755);
    expect((await git(root, ["status", "--porcelain"])).toString()).toBe(" M a.txt\n");
    await plain(root, "config", "core.fileMode", "false");
    expect((await git(root, ["status", "--porcelain"])).toString()).toBe("");
  });

  test("is recreated when a part of it was removed", async () => {
    const { GIT_COMMON_DIR = "" } = (await viewOf(sample)).env;
    for (const part of ["objects", "config"]) {
      await rm(join(GIT_COMMON_DIR, part));
      expect((await git(sample, ["rev-parse", "v1"])).toString()).toMatch(/^[0-9a-f]{40}/);
    }
    await rm(GIT_COMMON_DIR, { recursive: true });
    expect((await git(sample, ["rev-parse", "v1"])).toString()).toMatch(/^[0-9a-f]{40}/);
  });

  test.each([
    ["no .git", ""],
    ["a .git with nonsense", "nonsense"],
    ["a .git that names a missing folder", "gitdir: /nonexistent"],
  ])("fails with git's message for a folder with %s", async (_, content) => {
    const root = join(folder.path, "broken");
    await rm(root, { recursive: true, force: true });
    await mkdir(root);
    if (content) await writeFile(join(root, ".git"), content);
    await expect(git(root, ["status"])).rejects.toThrow(/not a git repository/);
  });

  test("fails with git's message for a broken configuration", async () => {
    const root = join(folder.path, "malformed");
    await makeRepository(root);
    await writeFile(join(root, ".git/config"), "[core\n");
    await expect(git(root, ["status"])).rejects.toThrow(/bad config line 1/);
  });
});
