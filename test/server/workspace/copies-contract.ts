import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";

/** One of the two programs that keep copies of remotes, with a shell beside it. */
export interface CopyKeeper {
  /** Runs a shell script where the copies are. The output includes standard error. */
  sh(script: string): Promise<{ code: number; output: string }>;
  /** Updates the copy `name` of a remote. @returns whether that succeeded, and the output */
  bring(url: string, name: string): Promise<{ ok: boolean; said: string }>;
  /** The workspace's folder. */
  place: string;
  /** Folder for the remotes. */
  remotes: string;
  /** The file in `.git` that marks a copy as the program's own. */
  marker: string;
}

const LOCKS = [
  ...["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock", "FETCH_HEAD.lock"],
  ...["refs/heads/main.lock", "refs/remotes/origin/main.lock", "refs/tags/v1.lock"],
  ...["objects/info/commit-graph.lock", "objects/maintenance.lock"],
];

/** What both programs must do. @param keeper called within the tests, when the program has been set up */
export function copiesContract(keeper: () => CopyKeeper): void {
  const git =
    "git -c safe.directory='*' -c user.name=T -c user.email=t@example.test -c init.defaultBranch=main";
  /** A remote of that name with one commit. @returns its path */
  const remote = async (name: string, more = "true") => {
    const path = `${keeper().remotes}/${name}`;
    const made = await keeper().sh(
      `set -e; ${git} init -q ${path}; cd ${path}; echo one >a.txt; ${git} add -A; ${git} commit -qm One; ${more}`,
    );
    expect(made).toEqual({ code: 0, output: "" });
    return path;
  };
  const at = (path: string, script: string) => keeper().sh(`set -e; cd ${path}; ${script}`);
  const inCopy = async (name: string, script: string) =>
    (await at(`${keeper().place}/${name}`, script)).output.trim();
  const good = async (url: string, name: string) => {
    const { ok, said } = await keeper().bring(url, name);
    expect([ok, ok ? "" : said]).toEqual([true, ""]);
  };
  const commit = (text: string) => `echo ${text} >a.txt; ${git} commit -qam ${text}`;

  test("branches and tags have their names, and are deleted with those of the remote", async () => {
    const url = await remote("refs", `${git} tag v1; ${git} branch feature; ${commit("two")}`);
    await good(url, "refs");
    const revisions = "main feature v1 origin/feature HEAD";
    const wanted = (await at(url, `${git} rev-parse main feature v1 feature HEAD`)).output;
    expect(await inCopy("refs", `${git} rev-parse ${revisions}`)).toBe(wanted.trim());
    expect(await inCopy("refs", `${git} symbolic-ref --short HEAD`)).toBe("main");
    await at(
      url,
      `${git} branch -D -q feature; ${git} branch feature/x; ${git} tag -d v1 >/dev/null; ${git} tag v2; ${git} tag -f v3`,
    );
    await good(url, "refs");
    expect(await inCopy("refs", `${git} for-each-ref --format='%(refname)'`)).toBe(
      [
        ...["refs/heads/feature/x", "refs/heads/main", "refs/remotes/origin/feature/x"],
        ...["refs/remotes/origin/main", "refs/tags/v2", "refs/tags/v3"],
      ].join("\n"),
    );
    expect(await inCopy("refs", `${git} status --porcelain`)).toBe("");
  });

  test("a renamed default branch is followed", async () => {
    const url = await remote("renamed");
    await good(url, "renamed");
    await at(url, `${git} branch -m trunk; ${commit("two")}`);
    await good(url, "renamed");
    expect(await inCopy("renamed", `${git} symbolic-ref --short HEAD; cat a.txt; ${git} branch`)).toBe(
      "trunk\ntwo\n* trunk",
    );
  });

  test("a bundle is followed: first of HEAD alone, then of another commit, then with a branch", async () => {
    const url = await remote("bundled");
    const bundle = `${keeper().remotes}/bundled.bundle`;
    const write = (refs: string) =>
      at(url, `${git} bundle create -q ${bundle} HEAD ${refs}; chmod 644 ${bundle}`);
    await write("");
    await good(bundle, "bundled");
    expect(await inCopy("bundled", `cat a.txt; ${git} symbolic-ref -q HEAD || echo none`)).toBe("one\nnone");
    await at(url, commit("two"));
    await write("");
    await good(bundle, "bundled");
    expect(await inCopy("bundled", "cat a.txt")).toBe("two");
    await write("main");
    await good(bundle, "bundled");
    expect(await inCopy("bundled", `${git} symbolic-ref --short HEAD`)).toBe("main");
  });

  test("locks and temporary files of a killed run do not prevent updates", async () => {
    const url = await remote("locks", `${git} tag v1`);
    await good(url, "locks");
    await at(url, `${commit("two")}; ${git} tag -f v1 >/dev/null`);
    await inCopy(
      "locks",
      `cd .git; for lock in ${LOCKS.join(" ")}; do mkdir -p $(dirname $lock); touch $lock; done; touch objects/pack/tmp_pack_x; mkdir objects/tmp_objdir-x`,
    );
    await good(url, "locks");
    const left = "find .git -name '*.lock' -o -name 'tmp_*'";
    expect(await inCopy("locks", `cat a.txt; ${git} rev-parse v1 HEAD | uniq | wc -l; ${left}`)).toBe(
      "two\n1",
    );
  });

  test.each([
    ["its objects are missing", "rm -rf .git/objects"],
    ["HEAD is missing", "rm .git/HEAD"],
    ["HEAD is nonsense", "echo nonsense >.git/HEAD"],
    ["the index is damaged", "echo damaged >.git/index"],
    ["its configuration is damaged", "echo '[core' >.git/config"],
    ["a file is missing", "rm a.txt"],
    ["a file was changed", "echo changed >a.txt"],
  ])("an update repairs a copy if %s", async (what, damage) => {
    const name = `damaged-${what.replace(/[^a-z]/gi, "")}`;
    const url = await remote(name);
    await good(url, name);
    await inCopy(name, damage);
    await good(url, name);
    expect(await inCopy(name, `cat a.txt; ${git} status --porcelain`)).toBe("one");
  });

  test.each([
    ["a folder without a repository", "mkdir OTHER; echo precious >OTHER/notes"],
    ["a clone with changes", `${git} clone -q URL OTHER; echo precious >OTHER/a.txt`],
    ["a repository without a commit", `${git} init -q OTHER; echo precious >OTHER/notes`],
    ["a clone of which HEAD cannot be read", `${git} clone -q URL OTHER; echo x >OTHER/.git/HEAD`],
    ["a link to a clone", `${git} clone -q URL OTHER.real; ln -s OTHER.real OTHER`],
    ["a file", "echo precious >OTHER"],
  ])("%s at the path of a copy is left unchanged, and reported", async (what, make) => {
    const name = `other-${what.replace(/[^a-z]/gi, "")}`;
    const url = await remote(name);
    await at(keeper().place, make.replaceAll("OTHER", name).replaceAll("URL", url));
    const look = `cd ${keeper().place}; find ${name}* | sort | xargs -d '\\n' ls -ld --time-style=full-iso; cat ${name} ${name}/notes ${name}/a.txt 2>/dev/null`;
    const before = (await keeper().sh(look)).output;
    const { ok, said } = await keeper().bring(url, name);
    expect(ok).toBe(false);
    expect(said).toContain(`hand it over: touch ${keeper().place}/${name}/.git/${keeper().marker}`);
    expect((await keeper().sh(look)).output).toBe(before);
    await keeper().sh(`rm -rf ${keeper().place}/${name}*`);
  });

  test("an empty folder at the path of a copy is used", async () => {
    const url = await remote("vacant");
    await at(keeper().place, "mkdir vacant; chmod 777 vacant");
    await good(url, "vacant");
    expect(await inCopy("vacant", "cat a.txt")).toBe("one");
  });

  test("no program from a copy's configuration, hooks or attributes runs", async () => {
    const url = await remote("evil");
    await good(url, "evil");
    // Everybody may write there, also other tests.
    const traps = `/tmp/mcp-edge-copy-trap-${randomUUID()}`;
    const trap = `touch ${traps}-$$; cat`;
    const keys = [
      "core.fsmonitor",
      "core.sshCommand",
      "remote.origin.uploadpack",
      "filter.evil.smudge",
      "filter.evil.clean",
    ];
    await inCopy(
      "evil",
      `${keys.map((key) => `${git} config ${key} '${trap}'`).join("; ")}
       mkdir -p .git/hooks .git/info; echo '* filter=evil' >.git/info/attributes
       for hook in post-checkout reference-transaction post-index-change; do
         printf '#!/bin/sh\\n${trap}\\n' >.git/hooks/$hook; chmod 755 .git/hooks/$hook
       done`,
    );
    await at(url, commit("two"));
    await keeper().sh(`rm -f ${traps}-*`);
    await good(url, "evil");
    expect(
      await inCopy("evil", `cat a.txt; ls .git/hooks 2>/dev/null; ls ${traps}-* 2>/dev/null || true`),
    ).toBe("two");
    expect(await inCopy("evil", `${git} config --local --list`)).not.toMatch(/touch|filter|uploadpack|ssh/);
  });

  test("a copy of a sha256 repository has sha256 too", async () => {
    const path = `${keeper().remotes}/sha256`;
    await keeper().sh(`${git} init -q --object-format=sha256 ${path}`);
    await at(path, `echo one >a.txt; ${git} add -A; ${git} commit -qm One`);
    await good(path, "sha256");
    await at(path, commit("two"));
    await good(path, "sha256");
    expect(await inCopy("sha256", `cat a.txt; ${git} rev-parse HEAD`)).toMatch(/^two\n[0-9a-f]{64}$/);
  });
}
