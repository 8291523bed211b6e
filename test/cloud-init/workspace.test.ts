import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { copiesContract } from "../server/workspace/copies-contract.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { SETTINGS } from "./fixture.ts";

const reason = whyNot();

if (reason !== undefined) {
  test(`mcp-edge-workspace cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("mcp-edge-workspace", workspace);
}

function workspace() {
  let root: DebianRoot;
  const git = "git -c user.name=t -c user.email=t@example.com -C /srv/origin";
  const commit = (file: string) =>
    root.sh(`touch /srv/origin/${file} && ${git} add -A && ${git} commit -qm ${file}`);
  /** Runs the script as its unit does: as the account mcp-edge, with its umask. */
  const sync = (source: string, name = "code") =>
    root.sh(
      `umask 027; setpriv --reuid=880 --regid=880 --clear-groups env WORKSPACE='${source}' WORKSPACE_NAME=${name} mcp-edge-workspace`,
    );
  const list = async (name = "code") =>
    (await root.sh(`ls /srv/mcp-edge/workspace/${name}`)).output.split("\n");

  beforeAll(async () => {
    root = await DebianRoot.create(machineFiles(SETTINGS));
    await root.sh("git init -q -b trunk /srv/origin");
    await commit("one");
  }, 600_000);
  afterAll(() => root?.remove());

  test("does nothing without a workspace", async () => {
    expect(await sync("")).toEqual({ code: 0, output: "" });
  });

  test("clones a folder of root so that only the account can read the copy", async () => {
    const { code, output } = await sync("/srv/origin");
    expect([code, output]).toEqual([0, expect.stringContaining("new clone at")]);
    expect(await list()).toEqual(["one"]);
    expect((await root.sh("stat -c '%a %U' /srv/mcp-edge/workspace/code")).output).toBe("750 mcp-edge");
  });

  test("follows new commits and a rewritten history", async () => {
    await commit("two");
    expect((await sync("/srv/origin")).output).toMatch(/code: [0-9a-f]{12} -> [0-9a-f]{12}/);
    expect(await list()).toEqual(["one", "two"]);
    await root.sh(`${git} checkout -q --orphan rewritten && ${git} rm -qrf . && ${git} branch -D trunk`);
    await commit("three");
    expect((await sync("/srv/origin")).code).toBe(0);
    expect(await list()).toEqual(["three"]);
  });

  test("clones a bundle, and removes the folder of the previous setting", async () => {
    await root.sh(`${git} bundle create /srv/mcp-edge/incoming/code.bundle HEAD --branches`);
    expect((await sync("/srv/mcp-edge/incoming/code.bundle", "other")).code).toBe(0);
    expect(await list("other")).toEqual(["three"]);
    expect((await root.sh("ls /srv/mcp-edge/workspace")).output).toBe("other");
  });

  test("keeps the last good copy of a failing remote, and reports the failure", async () => {
    for (const source of ["/srv/nothing", "http://127.0.0.1:9/x.git", "/srv/mcp-edge/incoming"]) {
      const { code, output } = await sync(source, "other");
      expect([code, output]).toEqual([1, expect.stringContaining("the last good copy stays")]);
      expect(await list("other")).toEqual(["three"]);
    }
    expect((await sync("/srv/nothing", "new")).output).toContain("there is no copy yet");
    expect((await root.sh("ls -A /srv/mcp-edge/workspace")).output).toBe(".lock\nother");
  });

  test("repairs the locks and losses of a killed run", async () => {
    await root.sh(
      "touch /srv/mcp-edge/workspace/other/.git/index.lock; rm /srv/mcp-edge/workspace/other/three",
    );
    expect((await sync("/srv/origin", "other")).code).toBe(0);
    await root.sh(
      "rm -rf /srv/mcp-edge/workspace/other/.git/objects /srv/mcp-edge/workspace/other/.git/HEAD",
    );
    expect((await sync("/srv/origin", "other")).output).toContain("new clone");
    expect(await list("other")).toEqual(["three"]);
  });

  test("runs no hook and no remote helper of a repository", async () => {
    const { code, output } = await sync("ext::touch /tmp/owned", "evil");
    expect([code, output]).toEqual([1, expect.stringMatching(/not allowed/)]);
    expect((await root.sh("ls /tmp/owned")).code).not.toBe(0);
  });

  describe("copies of remotes", () => {
    const bring = async (url: string, name: string) => {
      // With another name, the script would remove the copies of the earlier tests.
      const moved = `mkdir -p /srv/kept; cd ${place}; for each in *; do [ "$each" = ${name} ] || [ ! -f "$each/.git/mcp-edge" ] || mv -T "$each" "/srv/kept/$each"; done 2>/dev/null`;
      await root.sh(moved);
      const { code, output } = await sync(url, name);
      return { ok: code === 0, said: output };
    };
    const place = "/srv/mcp-edge/workspace";
    beforeAll(() => root.sh("mkdir -p /srv/remotes"));
    copiesContract(() => ({
      ...{ place, remotes: "/srv/remotes", marker: "mcp-edge", bring },
      // A test's changes in a copy belong to the account.
      sh: (script: string) =>
        root.sh(`(${script}\n); code=$?; chown -hR mcp-edge: ${place}/* 2>/dev/null; exit $code`),
    }));
  });
}
