import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { FileRow } from "../../cloud-init/file-row.ts";
import { FILES } from "../../cloud-init/file-table.ts";
import { filesArchive } from "../../cloud-init/files-archive.ts";
import { filesHash, type MachineFile, machineFiles } from "../../cloud-init/machine-files.ts";
import { rolesOf } from "../../cloud-init/topology.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { SETTINGS } from "./fixture.ts";

/**
 * mcp-edge-deploy in Debian 13, with its real nft, nginx, fail2ban and tar, but with stand-ins for systemctl and curl: the
 * decisions and what is left on the disk. The test of a booted machine shows that no request is lost.
 */
const reason = whyNot();

if (reason !== undefined) {
  test(`the deploy script cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("mcp-edge-deploy", deploy);
}

function deploy() {
  const files = machineFiles(SETTINGS);
  let root: DebianRoot;
  const releases: Record<string, string> = {};

  /** Packs a release whose server.mjs prints `mode` into incoming/. */
  const pack = async (mode: string) => {
    root.write(`/tmp/${mode}/bin/node`, "#!/bin/sh\n", 0o755);
    root.write(`/tmp/${mode}/server.mjs`, `// ${mode}\n`);
    await root.sh(`tar -C /tmp/${mode} --zstd -cf /tmp/${mode}.tar.zst .`);
    const bytes = readFileSync(join(root.folder, "upper/tmp", `${mode}.tar.zst`));
    const sha = createHash("sha256").update(bytes).digest("hex");
    root.write(`/srv/mcp-edge/incoming/${sha}.tar.zst`, bytes);
    releases[mode] = sha;
  };
  const push = async (set: readonly MachineFile[]) => {
    const hash = filesHash(set);
    root.write(`/srv/mcp-edge/incoming/files-${hash}.tar`, await filesArchive(set));
    return hash;
  };
  const changed = (path: string, from: string, to: string) =>
    files.map((file) => (file.path === path ? { ...file, content: file.content.replace(from, to) } : file));
  /** The machine's initial set of files, with short waits for the test. */
  const quick = (set: readonly MachineFile[] = files) =>
    set.map((file) => ({
      ...file,
      content: file.content
        .replace(/^READY_SECONDS=.*$/m, "READY_SECONDS=1")
        .replace(/^EDGE_SECONDS=.*$/m, "EDGE_SECONDS=1"),
    }));
  const status = async () => JSON.parse((await root.sh("mcp-edge-deploy status --json")).output);

  beforeAll(async () => {
    root = await DebianRoot.create(files);
    for (const name of ["systemctl", "curl"])
      root.write(`/usr/bin/${name}`, readFileSync(join(import.meta.dirname, `fake-${name}.sh`)), 0o755);
    // Short, since waiting is not tested here.
    await root.sh(
      "cd /usr/local/lib/mcp-edge; sed -i 's/^READY_SECONDS=.*/READY_SECONDS=1/' common.sh; sed -i 's/^EDGE_SECONDS=.*/EDGE_SECONDS=1/' apply.sh; mcp-edge-cert bootstrap",
    );
    for (const mode of ["first", "second", "third", "unready", "crash"]) await pack(mode);
  }, 600_000);
  afterAll(() => root?.remove());

  test("prints its usage", async () => {
    expect(await root.sh("mcp-edge-deploy")).toEqual({ code: 2, output: expect.stringContaining("usage: ") });
    expect((await root.sh("mcp-edge-deploy release xyz")).output).toContain(
      "sha256 (64 hex digits), not 'xyz'",
    );
  });

  test("the status for people has waiting updates and problems", async () => {
    expect((await root.sh("mcp-edge-deploy status")).output).toContain(
      "updates: ? (not looked yet) wait\nreboot:  not due\ncertificate: no problem",
    );
    const { output } = await root.sh(
      "mkdir -p /run/mcp-edge-patches /run/mcp-edge-cert; echo 2 >/run/mcp-edge-patches/updates; echo kernel >/run/mcp-edge-patches/reboot; echo full >/run/mcp-edge-cert/problem; mcp-edge-deploy status",
    );
    expect(output).toContain("updates: 2 wait\nreboot:  kernel\ncertificate: full");
  });

  test("the first release starts in blue, the same release again changes nothing, and the next one takes over in green", async () => {
    const done = await root.sh(`mcp-edge-deploy release ${releases.first}`);
    expect([done.code, done.output]).toEqual([0, expect.stringContaining("step start blue")]);
    const again = await root.sh(`mcp-edge-deploy release ${releases.first}`);
    expect([again.code, again.output]).toEqual([0, expect.stringContaining("unchanged: blue runs release")]);
    expect((await root.sh(`mcp-edge-deploy release ${releases.second}`)).code).toBe(0);
    expect(await status()).toMatchObject({
      colour: "green",
      release: releases.second,
      ready: true,
      previous: releases.first,
    });
    expect((await root.sh("ls /var/lib/fake; cat /opt/mcp-edge/green.env")).output).toBe(
      `calls\nmcp-edge.socket\nmcp-edge@green.service\nRELEASE=${releases.second}`,
    );
  });

  test.each([
    ["unready", 'was not ready within 1 s: {"ready":false,"why":"no tokens"}'],
    ["crash", "did not start"],
  ])(
    "with a release that is %s, the old one still serves and the new one is removed",
    async (mode, words) => {
      const { code, output } = await root.sh(`mcp-edge-deploy release ${releases[mode]}`);
      expect(code).toBe(1);
      expect(output).toContain(words);
      expect(output).toContain(`green goes on with release ${releases.second?.slice(0, 12)}`);
      expect(await status()).toMatchObject({
        colour: "green",
        release: releases.second,
        ready: true,
        previous: releases.first,
      });
      expect((await root.sh("ls /opt/mcp-edge/releases /var/lib/fake")).output).not.toMatch(
        new RegExp(`${releases[mode]}|mcp-edge@blue`),
      );
    },
  );

  test("a damaged archive is refused and deleted, so that the next push brings it again; a missing one and one without a release are refused", async () => {
    const wrong = "b".repeat(64);
    await root.sh(
      `cp /srv/mcp-edge/incoming/${releases.first}.tar.zst /srv/mcp-edge/incoming/${wrong}.tar.zst`,
    );
    const damaged = await root.sh(`mcp-edge-deploy release ${wrong}`);
    expect([damaged.code, damaged.output]).toEqual([
      1,
      expect.stringContaining(`has the hash ${releases.first}, not ${wrong}`),
    ]);
    const missing = await root.sh(`mcp-edge-deploy release ${"c".repeat(64)}`);
    expect([missing.code, missing.output]).toEqual([1, expect.stringContaining("push the release again")]);
    expect((await root.sh("ls /opt/mcp-edge/releases /srv/mcp-edge/incoming")).output).not.toContain(wrong);
  });

  test("a run repairs what a killed run left, and only the last two releases are kept", async () => {
    await root.sh(
      "mkdir -p /opt/mcp-edge/releases/dead.partial; touch '/var/lib/fake/mcp-edge@blue.service'",
    );
    const { code, output } = await root.sh(`mcp-edge-deploy release ${releases.third}`);
    expect([code, output]).toEqual([
      0,
      expect.stringContaining("recover: stop blue, left by an earlier run"),
    ]);
    expect((await root.sh("ls /opt/mcp-edge/releases")).output.split("\n").sort()).toEqual(
      [releases.second, releases.third].sort(),
    );
  });

  test("two runs never overlap", async () => {
    const { output } = await root.sh(
      "exec 8>/run/lock/mcp-edge-deploy.lock; flock 8; timeout 1 mcp-edge-deploy start; echo $?; flock -u 8; mcp-edge-deploy start; echo $?",
    );
    expect(output).toBe("124\n0");
  });

  test("equal files are unchanged, a changed file is applied, and a file that is no longer in the set is removed", async () => {
    const same = await root.sh(`mcp-edge-deploy files ${await push(quick())}`);
    expect([same.code, same.output]).toEqual([
      0,
      expect.stringContaining("unchanged: the machine has the files"),
    ]);
    const extra = { path: "/etc/sysctl.d/99-extra.conf", content: "# x\n", mode: "0600" };
    const base = quick();
    expect((await root.sh(`mcp-edge-deploy files ${await push([...base, extra])}`)).code).toBe(0);
    expect((await root.sh("stat -c '%a %U' /etc/sysctl.d/99-extra.conf")).output).toBe("600 root");
    expect(await status()).toMatchObject({ files: filesHash([...base, extra]) });
    expect((await root.sh(`mcp-edge-deploy files ${await push(base)}`)).code).toBe(0);
    expect((await root.sh("ls /etc/sysctl.d")).output).not.toContain("99-extra");
  });

  test.each([
    ["/etc/nginx/mcp-edge/tls.conf", "http2 on;", "http2 maybe;", 'invalid value "maybe" in "http2"'],
    ["/etc/nftables.conf", "policy drop", "policy dorp", "syntax error, unexpected string"],
    ["/etc/systemd/system/mcp-edge@.service", "ExecStart=/opt", "ExecStrt=/opt", "Service has no ExecStart="],
    [
      "/etc/fail2ban/jail.d/mcp-edge.local",
      "filter = mcp-edge-credentials",
      "filter = mcp-egde-credentials",
      "Unable to read the filter 'mcp-egde-credentials'",
    ],
  ])("%s with %j replaced by %j is refused with the tool's message", async (path, from, to, words) => {
    const { code, output } = await root.sh(
      `mkdir -p /run/fail2ban; touch /var/log/nginx/{refused,scanners,limited,handshakes}.log; mcp-edge-deploy files ${await push(changed(path, from, to))}`,
    );
    expect([code, output]).toEqual([1, expect.stringContaining(words)]);
    expect(output).toContain("refused: nothing was applied");
    expect((await root.sh(`grep -c '${from}' '${path}'`)).code).toBe(0);
  });

  test("a file that is added to the table is checked and applied, and its removal is applied too", async () => {
    const row = (content: string): FileRow => ({
      path: "/etc/fail2ban/action.d/extra.conf",
      source: () => content,
      role: "nginx",
      change: ["restart-fail2ban"],
      validator: "fail2ban",
    });
    const deployed = async (...rows: FileRow[]) => {
      const set = quick(machineFiles(SETTINGS, rolesOf("terminate", "edge"), [...FILES, ...rows]));
      const { code, output } = await root.sh(
        `: >/var/lib/fake/calls; mkdir -p /run/fail2ban; touch /var/log/nginx/{refused,scanners,limited,handshakes}.log; mcp-edge-deploy files ${await push(set)}; code=$?; cat /var/lib/fake/calls; exit $code`,
      );
      return { code, output, restarted: output.includes("restart fail2ban.service") };
    };
    const jail = {
      ...row("[extra]\nenabled = true\nfilter = missing\n"),
      path: "/etc/fail2ban/jail.d/extra.conf",
    };
    expect(await deployed(jail)).toMatchObject({
      code: 1,
      output: expect.stringContaining("Unable to read the filter 'missing'"),
      restarted: false,
    });
    expect(await deployed(row("[Definition]\n"))).toMatchObject({ code: 0, restarted: true });
    expect(await deployed()).toMatchObject({ code: 0, restarted: true });
    expect((await root.sh(`ls ${row("").path}`)).code).not.toBe(0);
  });

  test("files that pass the checks and break the edge are rolled back", async () => {
    const path = "/etc/nginx/mcp-edge/upstreams.conf";
    const broken = await push(changed(path, "127.0.0.1:8080", "127.0.0.1:8081"));
    const { code, output } = await root.sh(`mcp-edge-deploy files ${broken}`);
    expect([code, output]).toEqual([
      1,
      expect.stringContaining("/readyz on 127.0.0.1 answers '502', not 200"),
    ]);
    expect((await root.sh(`grep -c 127.0.0.1:8081 ${path}; ls /var/lib/mcp-edge/files`)).output).toBe(
      "0\nMANIFEST\nnew",
    );
  });

  /** Another set of files, and a check that the machine has it. */
  const marked = (mark: string) => [
    ...quick(),
    { path: "/etc/sysctl.d/97-mark.conf", content: `# ${mark}\n`, mode: "0644" },
  ];
  const state = async () => ({
    ...(await status()),
    mark: (await root.sh("cat /etc/sysctl.d/97-mark.conf 2>/dev/null")).output,
    left: (await root.sh("ls /var/lib/mcp-edge/files")).output.split("\n"),
  });
  const settled = { ready: true, left: expect.not.arrayContaining(["backup"]) };

  describe("files and release of one deployment", () => {
    beforeAll(async () => {
      for (const mode of ["third", "first"]) await pack(mode);
      const { code, output } = await root.sh(
        `mcp-edge-deploy both ${await push(marked("old"))} ${releases.third}`,
      );
      expect([code, output]).toEqual([0, expect.stringContaining("done: the machine has the files")]);
    });

    test("are applied together", async () => {
      const done = await root.sh(`mcp-edge-deploy both ${await push(marked("new"))} ${releases.first}`);
      expect([done.code, done.output]).toEqual([
        0,
        expect.stringContaining(`runs release ${releases.first?.slice(0, 12)}`),
      ]);
      expect(await state()).toMatchObject({ ...settled, release: releases.first, mark: "# new" });
      const again = await root.sh(`mcp-edge-deploy both ${await push(marked("new"))} ${releases.first}`);
      expect([again.code, again.output.match(/unchanged/g)]).toEqual([0, ["unchanged", "unchanged"]]);
      const { colour } = await status();
      const restart = await root.sh(
        `mcp-edge-deploy both ${await push(marked("new"))} ${releases.first} --restart`,
      );
      expect([restart.code, (await status()).colour === colour]).toEqual([0, false]);
      expect(
        (await root.sh(`mcp-edge-deploy both ${await push(marked("old"))} ${releases.third}`)).code,
      ).toBe(0);
    });

    test.each([
      ["the release is not ready", "unready", ""],
      ["the release does not start", "crash", ""],
      ["the release's archive is not there", "gone", ""],
      ["the edge does not answer", "first", "127.0.0.1:8081"],
      ["the server's environment changed, too, and the release is not ready", "unready", "LOG_LEVEL"],
    ])("are rolled back together when %s", async (_, mode, spoil) => {
      const before = await state();
      for (const name of ["unready", "crash", "first"]) await pack(name);
      const set = marked("new").map((file) => {
        if (spoil === "127.0.0.1:8081" && file.path.endsWith("/upstreams.conf"))
          return { ...file, content: file.content.replace("127.0.0.1:8080", spoil) };
        if (spoil === "LOG_LEVEL" && file.path.endsWith("/server.env"))
          return { ...file, content: file.content.replace("LOG_LEVEL=info", "LOG_LEVEL=debug") };
        return file;
      });
      const calls = (await root.sh("wc -l </var/lib/fake/calls")).output;
      const { code, output } = await root.sh(
        `mcp-edge-deploy both ${await push(set)} ${releases[mode] ?? "d".repeat(64)}`,
      );
      expect([code, output]).toEqual([
        1,
        expect.stringContaining(mode === "gone" ? "no archive" : "files and release are as they were"),
      ]);
      expect(await state()).toMatchObject({ ...settled, release: releases.third, mark: "# old" });
      // The slot that kept serving was not restarted.
      if (mode !== "first")
        expect((await root.sh(`tail -n +${Number(calls) + 1} /var/lib/fake/calls`)).output).not.toContain(
          `start mcp-edge@${before.colour}`,
        );
      expect(
        (await root.sh("cat /etc/mcp-edge/server.env /etc/nginx/mcp-edge/upstreams.conf")).output,
      ).not.toMatch(/debug|8081/);
    });

    // Each step after which a kill leaves another state behind.
    test.each([
      ["write", "step validate"],
      ["validate", "step apply"],
      ["start the new colour", "step wait for"],
      ["wait for it", "step switch to"],
      ["switch", "step drain"],
      ["check the edge", "step check"],
    ])("are rolled back together when the script is killed after: %s", async (_, line) => {
      for (const name of ["first"]) await pack(name);
      // The script is killed where it names the step. Not as the namespace's first process, which no signal from within ends.
      root.write(
        "/killed.sh",
        `printf() { [[ $1 != *step* || "step $2" != "${line}"* ]] || kill -9 $$; builtin printf "$@"; }`,
      );
      const cut = await root.sh(
        `BASH_ENV=/killed.sh mcp-edge-deploy both ${await push(marked("new"))} ${releases.first}; exit $?`,
      );
      expect(cut.code).toBe(137);
      const after = await root.sh("mcp-edge-deploy restart");
      expect([after.code, after.output]).toEqual([
        0,
        expect.stringContaining("recover: put back the files and the release"),
      ]);
      expect(await state()).toMatchObject({ ...settled, release: releases.third, mark: "# old" });
    });

    test("are rolled back at the next boot, before the services start", async () => {
      await pack("first");
      await root.sh(
        `sed -i 's/^check_edge() {/check_edge() { kill -9 $$;/' /usr/local/lib/mcp-edge/apply.sh
         mcp-edge-deploy both ${await push(marked("new"))} ${releases.first}
         sed -i 's/^check_edge() { kill -9 $$;/check_edge() {/' /usr/local/lib/mcp-edge/apply.sh`,
      );
      expect(await state()).toMatchObject({ release: releases.first, mark: "# new" });
      const boot = await root.sh("rm /var/lib/fake/calls; mcp-edge-deploy recover; cat /var/lib/fake/calls");
      expect([boot.code, boot.output.split("\n").at(-1)]).toEqual([0, "daemon-reload "]);
      expect(await state()).toMatchObject({ release: releases.third, mark: "# old", left: settled.left });
      await root.sh("mcp-edge-deploy start");
      expect(await state()).toMatchObject({ ...settled, release: releases.third });
    });

    test("change nothing if the disk is full", async () => {
      const { code, output } = await root.sh(
        `mkdir -p /tmp/etc && cp -a /etc/sysctl.d/. /tmp/etc; mount -t tmpfs -o size=64k tmpfs /etc/sysctl.d; cp -a /tmp/etc/. /etc/sysctl.d
         dd if=/dev/zero of=/etc/sysctl.d/zz-full 2>/dev/null; mcp-edge-deploy both ${await push(marked("n".repeat(9_000)))} ${releases.first}
         echo $?; head -c 5 /etc/sysctl.d/97-mark.conf; ls /var/lib/mcp-edge/files`,
      );
      expect([code, output]).toEqual([0, expect.stringMatching(/No space left.*refused.*\n1\n# old/s)]);
      expect(output).not.toContain("backup");
    });
  });

  test("a run that was killed after its files were applied is rolled back by the next run", async () => {
    const path = "/etc/nginx/mcp-edge/upstreams.conf";
    await root.sh(
      `cd /var/lib/mcp-edge/files && mkdir -p backup/tree && cp -a --parents ${path} backup/tree && echo ${path} >backup/present && ` +
        `echo /etc/sysctl.d/98-half.conf >backup/absent && touch /etc/sysctl.d/98-half.conf && echo broken >${path}`,
    );
    const { code, output } = await root.sh(`mcp-edge-deploy files ${await push(files)}`);
    expect([code, output]).toEqual([
      0,
      expect.stringContaining("recover: put back the files and the release of an interrupted run"),
    ]);
    expect((await root.sh(`grep -c 127.0.0.1:8080 ${path}; ls /etc/sysctl.d`)).output).not.toContain(
      "98-half",
    );
  });
}
