import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { OAUTH_FILE } from "../../server/auth/oauth/sqlite-oauth-store.ts";
import { USAGE_FILE } from "../../server/auth/usage-store.ts";
import { STORE_FILE } from "../../server/store/open.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { SETTINGS } from "./fixture.ts";

const reason = whyNot();

if (reason !== undefined) {
  test(`mcp-edge-backup cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("mcp-edge-backup", backup);
}

function backup() {
  let root: DebianRoot;
  const DATA = "/srv/mcp-edge";
  /** As the server names them. */
  const databases = [STORE_FILE, OAUTH_FILE, USAGE_FILE].map((name) => `state/sessions/${name}`);
  const rows = `python3 -c "
import sqlite3, sys
for file in sys.argv[1:]: print(sqlite3.connect(file).execute('select count(*), sum(x) from t').fetchall())" ${databases.join(" ")}`;
  /** All that a backup must keep: paths, modes, owners and contents; of a database its rows. */
  const inventory = async () =>
    (
      await root.sh(
        `cd ${DATA}; all="find letsencrypt tls state -not -name *.db* -not -name *.sqlite*"; set -f
        $all -printf '%p %m %u %g %l\\n' | sort; $all -type f | sort | xargs sha256sum; stat -c '%a %U' ${databases.join(" ")}; ${rows}`,
      )
    ).output;

  beforeAll(async () => {
    root = await DebianRoot.create(machineFiles(SETTINGS));
    root.write("/usr/bin/systemctl", '#!/bin/sh\necho systemctl "$@" >>/calls\n', 0o755);
    const { code } = await root.sh(`mcp-edge-cert bootstrap; cd ${DATA}
      mkdir -p letsencrypt/accounts letsencrypt/live; echo account >letsencrypt/accounts/key; ln -s ../accounts/key letsencrypt/live/key
      echo tokens >state/tokens.json; chgrp mcp-edge state/tokens.json; chmod 640 state/tokens.json; echo 'QUOTA_PER_DAY=5' >state/server.env
      mkdir -p /opt/mcp-edge; ln -s blue /opt/mcp-edge/active
      setpriv --reuid=880 --regid=880 --clear-groups python3 -c "
import os, sqlite3, sys
kept = []
for file in sys.argv[1:]:
    base = sqlite3.connect(file); kept.append(base)
    base.execute('pragma journal_mode=wal'); base.execute('create table t (x)')
    base.executemany('insert into t values (?)', [(n,) for n in range(1000)]); base.commit()
os._exit(0)" ${databases.join(" ")}`);
    expect(code).toBe(0);
  }, 600_000);
  afterAll(() => root?.remove());

  test("a restored backup has the owners and modes, and the rows that were only in a write-ahead log", async () => {
    const before = await inventory();
    expect(before.match(/\[\(1000, 499500\)\]/g)).toHaveLength(databases.length);
    expect(
      await root.sh(
        "mcp-edge-backup create /backup.tar.zst 2>/dev/null; stat -c %a /backup.tar.zst; ls -A /srv/mcp-edge | grep backup",
      ),
    ).toMatchObject({
      output: "600",
    });
    expect(await inventory()).toBe(before);
    await root.sh(
      `rm -rf ${DATA}/letsencrypt ${DATA}/tls ${DATA}/state; systemd-tmpfiles --create mcp-edge.conf; rm -f /calls`,
    );
    const { code, output } = await root.sh("mcp-edge-backup restore /backup.tar.zst");
    expect([code, output]).toEqual([0, expect.stringContaining("restored")]);
    expect(await inventory()).toBe(before);
    expect((await root.sh("cat /calls")).output.split("\n")).toEqual([
      "systemctl -q stop mcp-edge@blue.service mcp-edge-start.service",
      "systemctl restart mcp-edge-tls.service",
      "systemctl start mcp-edge@blue.service",
      "systemctl reload-or-restart nginx.service",
      "systemctl start --no-block mcp-edge-cert.service",
    ]);
  });

  test("a backup can be restored from a pipe, as over the network, and over existing files", async () => {
    const before = await inventory();
    const { code } = await root.sh(
      `mcp-edge-backup create - >/piped; echo other >${DATA}/state/tokens.json; mcp-edge-backup restore - </piped`,
    );
    expect(code).toBe(0);
    expect(await inventory()).toBe(before);
    expect((await root.sh(`cat ${DATA}/.before-restore-state/tokens.json`)).output).toBe("other");
  });

  test("a backup that is made while the server writes is consistent", async () => {
    // A write-ahead log in the archive would be a copy by bytes, which the writing server can damage.
    const { code, output } = await root.sh(`cd ${DATA}/state/sessions
      python3 -c "
import sqlite3
base = sqlite3.connect('${STORE_FILE}', timeout=30)
while True:
    base.execute('insert into t values (1)'); base.execute('insert into t values (-1)'); base.commit(); open('/writes', 'w')" &
      until [ -e /writes ]; do sleep 0.02; done; mcp-edge-backup create /live.tar.zst 2>/dev/null; kill $!
      tar --zstd -tf /live.tar.zst | grep -E '[.](db|sqlite)-' && exit 1
      mkdir /live; tar -C /live --zstd -xf /live.tar.zst; python3 -c "
import sqlite3
base = sqlite3.connect('/live/state/sessions/${STORE_FILE}')
print(base.execute('pragma integrity_check').fetchall(), base.execute('select sum(x) from t').fetchall())"`);
    expect([code, output.split("\n").at(-1)]).toEqual([0, "[('ok',)] [(499500,)]"]);
  });

  test.each([
    ["cut short", "head -c 2000 /backup.tar.zst >/bad"],
    ["empty", ": >/bad"],
    ["no backup", "tar -C / --zstd -cf /bad etc/hostname"],
    [
      "one with a file that is another",
      "mkdir /x; tar -C /x --zstd -xpf /backup.tar.zst; echo evil >/x/state/tokens.json; tar -C /x --zstd -cf /bad .",
    ],
    ["not there", "rm -f /bad"],
  ])("an archive that is %s changes nothing", async (_, make) => {
    const before = await inventory();
    const { code, output } = await root.sh(
      `${make}; rm -f /calls; mcp-edge-backup restore /bad; code=$?; cat /calls 2>/dev/null; exit $code`,
    );
    expect([code, output]).toEqual([1, expect.stringMatching(/nothing was changed|there is no/)]);
    expect(output).not.toContain("systemctl");
    expect(await inventory()).toBe(before);
    expect((await root.sh(`ls -A ${DATA} | grep -c '^.backup'`)).output).toBe("0");
  });
}
