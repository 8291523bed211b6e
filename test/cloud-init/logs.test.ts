import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { awsUserData } from "../../cloud-init/aws-user-data.ts";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { AROUND, AWS_SETTINGS } from "./fixture.ts";

/**
 * mcp-edge-logs in Debian 13, with its own Python, curl and gzip, against a CloudWatch Logs that has the limits of the real one
 * (fake-aws.py). Each test is a case in which lines could be lost, be sent repeatedly, or block other lines.
 */
const HOUR = 3_600_000;
const ACCESS = "/var/log/nginx/access.log";
const reason = whyNot();

if (reason !== undefined) {
  test(`mcp-edge-logs cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("mcp-edge-logs", logs);
}

function logs() {
  let root: DebianRoot;

  /** With the fake AWS on the loopback of the command's own network; twice the folders that its unit gives it. */
  const sh = (script: string) =>
    root.sh(
      `ip link set lo up; python3 /fake-aws.py & until curl -s -o /dev/null http://127.0.0.1:8000/latest/x; do sleep 0.05; done
       mkdir -p /run/state /var/lib/state; export RUNTIME_DIRECTORY=/run/state STATE_DIRECTORY=/var/lib/state
       ${script}`,
    );
  const kept = (stream: string): { timestamp: number; message: string }[] => {
    const file = join(root.folder, `upper/fake/logs/i-0123456789abcdef0_${stream}`);
    return existsSync(file)
      ? readFileSync(file, "utf8")
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      : [];
  };
  const messages = (stream: string) => kept(stream).map(({ message }) => message);
  const requests = () =>
    (
      readFileSync(join(root.folder, "upper/fake/posted"), "utf8").match(/^Logs_20140328.PutLogEvents /gm) ??
      []
    ).length;
  const line = (name: string, at = Date.now()) =>
    `{"time":"${new Date(at).toISOString().slice(0, 19)}+00:00","path":"/${name}"}\n`;
  const names = () => messages("access").map((text) => /"path":"\/([^"]*)/.exec(text)?.[1] ?? text);
  interface Entry {
    at: number;
    message: unknown;
  }
  /** A fake journal: it prints the entries after the cursor. Cursors are the entries' numbers; the cursor "gone" is refused. */
  const journal = (entries: Entry[]) => {
    const rows = entries.map(({ at, message }, index) =>
      JSON.stringify({
        __CURSOR: String(index + 1),
        __REALTIME_TIMESTAMP: String(at * 1000),
        _SYSTEMD_UNIT: "x.service",
        MESSAGE: message,
      }),
    );
    root.write("/fake/journal", rows.map((row) => `${row}\n`).join(""));
  };

  beforeAll(async () => {
    root = await DebianRoot.create(machineFiles(AWS_SETTINGS));
    const document = JSON.parse(awsUserData(AROUND).slice("#cloud-config\n".length)) as {
      write_files: { path: string; content: string }[];
    };
    const env = document.write_files.find(({ path }) => path === "/etc/mcp-edge/aws.env")?.content ?? "";
    root.write("/etc/mcp-edge/aws.env", env.replace("'http://169.254.169.254'", "'http://127.0.0.1:8000'"));
    root.write("/fake-aws.py", readFileSync(join(import.meta.dirname, "fake-aws.py")));
    root.write(
      "/usr/bin/journalctl",
      `#!/bin/bash
echo "$*" >>/fake/journalctl
for word; do case $word in --after-cursor=*) after=\${word#*=} ;; --since=@*) since=\${word#*@} ;; esac; done
if [ "\${after:-}" = gone ]; then echo 'Failed to seek to cursor' >&2; exit 1; fi
if [ -n "\${since:-}" ]; then
  exec python3 -c 'import json, sys; [print(line, end="") for line in open("/fake/journal") if int(json.loads(line)["__REALTIME_TIMESTAMP"]) >= float(sys.argv[1]) * 1e6]' "$since"
fi
exec tail -n +$((\${after:-0} + 1)) /fake/journal
`,
      0o755,
    );
  }, 600_000);
  afterAll(() => root?.remove());
  beforeEach(async () => {
    await root.sh(
      "rm -rf /fake/logs /fake/posted /fake/poison /fake/refuse-* /var/lib/state/* /var/log/nginx/*; mkdir -p /fake/logs /var/log/nginx; : >/fake/posted; : >/fake/journal",
    );
  });

  test("runs as an unprivileged account in the groups that may read the logs", async () => {
    root.write(ACCESS, line("one"));
    journal([{ at: Date.now(), message: "hello" }]);
    const { code, output } = await sh(
      `chown www-data:adm ${ACCESS}; chmod 640 ${ACCESS}; chown 65534 /run/state /var/lib/state
       setpriv --reuid=65534 --regid=65534 --groups=$(getent group adm | cut -d : -f 3) mcp-edge-logs`,
    );
    expect([code, output]).toEqual([0, ""]);
    expect([names(), messages("journal")]).toEqual([["one"], ["x.service: hello"]]);
    expect((await sh("mcp-edge-logs")).output).toBe("");
    expect(names()).toEqual(["one"]);
  });

  test("Caddy's access log loses nothing, and no line is sent twice while logrotate copies it", async () => {
    const dropIn = "/etc/systemd/system/caddy.service.d/mcp-edge.conf";
    const write = (name: string) => `printf '%s' '{"level":"info",${line(name).slice(1)}' >>access.log`;
    await sh(`mkdir -p /var/log/caddy ${dirname(dropIn)}; touch ${dropIn}; cd /var/log/caddy; ${write("a")}; mcp-edge-logs
      ${write("b")}; head -n 1 access.log >access.log.1; mcp-edge-logs; mcp-edge-logs
      cp access.log access.log.1; : >access.log; sleep 0.02; ${write("c")}; mcp-edge-logs; mcp-edge-logs; rm ${dropIn}`);
    expect(names()).toEqual(["a", "b", "c"]);
    for (const { timestamp } of kept("access")) expect(timestamp % 1_000).toBe(0);
  });

  describe("the access log loses nothing", () => {
    const rotate = (count = 1) =>
      Array.from({ length: count }, () => {
        const moves = [3, 2, 1].map(
          (n) => `[ ! -e access.log.${n}.gz ] || mv access.log.${n}.gz access.log.${n + 1}.gz`,
        );
        return `cd /var/log/nginx; ${moves.join("; ")}; [ ! -e access.log.1 ] || { gzip access.log.1; mv access.log.1.gz access.log.2.gz; }; mv access.log access.log.1; : >access.log; sleep 0.02`;
      }).join("; ");
    const append = (...of: string[]) =>
      of.map((name) => `printf '%s' '${line(name)}' >>${ACCESS}; sleep 0.02`).join("; ");

    test.each([
      ["between the last run and the rotation", `${append("c")}; ${rotate()}; ${append("d")}`, ["c", "d"]],
      [
        "when the old workers still write to the rotated file",
        `${rotate()}; ${append("d")}; printf '%s' '${line("c")}' >>${ACCESS}.1`,
        ["c", "d"],
      ],
      [
        "over three rotations between two runs",
        `${append("c")}; ${rotate()}; ${append("d")}; ${rotate()}; ${append("e")}; ${rotate()}; ${append("f")}`,
        ["c", "d", "e", "f"],
      ],
      ["when it was copied and truncated", `: >${ACCESS}; ${append("c")}`, ["c"]],
      [
        "when the line was half written",
        `printf '{"time":"2026-' >>${ACCESS}; mcp-edge-logs; printf '11-21T12:00:00+00:00","path":"/c"}\\n' >>${ACCESS}`,
        ["c"],
      ],
      [
        "when a rotated file is being compressed",
        `${rotate()}; head -c 40 /dev/urandom >${ACCESS}.2.gz; ${append("c")}`,
        ["c"],
      ],
      [
        "when rotated files have dates in their names",
        `${append("c")}; mv ${ACCESS} ${ACCESS}-20261121; ${append("d")}`,
        ["c", "d"],
      ],
    ])("%s", async (_, change, more) => {
      root.write(ACCESS, line("a") + line("b"));
      await sh(`mcp-edge-logs; ${change}; mcp-edge-logs 2>/dev/null; mcp-edge-logs 2>/dev/null`);
      expect(names().sort()).toEqual(["a", "b", ...more]);
    });

    test("while CloudWatch refuses requests in any way, and each line arrives once", async () => {
      for (const [index, words] of [
        "503 ServiceUnavailableException",
        "400 ThrottlingException",
        "400 AccessDeniedException",
        "400 ExpiredTokenException",
        "500 InternalFailure",
      ].entries()) {
        root.write("/fake/refuse-Logs_20140328.PutLogEvents", words);
        root.write(ACCESS, Array.from({ length: index + 1 }, (__, n) => line(`${index}-${n}`)).join(""));
        const { code, output } = await sh("mcp-edge-logs");
        expect([code, output]).toEqual([1, expect.stringContaining(words.split(" ")[1] as string)]);
        await sh(`mcp-edge-logs; ${rotate()}`);
        expect(names()).toContain(`${index}-${index}`);
        await root.sh("rm /var/log/nginx/*");
      }
      expect(names()).toHaveLength(1 + 2 + 3 + 4 + 5);
    });

    test("with bytes that are not UTF-8, JSON or text", async () => {
      const lines = [
        Buffer.from(`{"time":"2026-11-21T12:00:00+00:00","user_agent":"`),
        Buffer.from([0xff, 0xc3, 0x28, 0x00, 0x1b]),
        Buffer.from('"}\nno json at all\n\n'),
        Buffer.from('{"time":"yesterday"}\n{"time":"2026-13-41T99:00:00+00:00"}\n'),
        Buffer.from(line("last")),
      ];
      root.write(ACCESS, Buffer.concat(lines));
      expect(await sh("mcp-edge-logs")).toEqual({ code: 0, output: "" });
      expect(messages("access")).toHaveLength(6);
      expect(messages("access").join("\n")).toContain('"user_agent":"\ufffd\ufffd(\0\u001b"}');
    });

    test("with a line that is longer than an event, which is split", async () => {
      const long = `{"time":"${new Date().toISOString().slice(0, 19)}+00:00","user_agent":"${"é€😀".repeat(80_000)}"}`;
      root.write(ACCESS, `${long}\n${line("after")}`);
      expect(await sh("mcp-edge-logs")).toEqual({ code: 0, output: "" });
      expect(messages("access").slice(0, -1).join("")).toBe(long);
      expect(names().at(-1)).toBe("after");
    });

    test("with more lines than one request takes, and no request exceeds the limits", async () => {
      root.write(ACCESS, Array.from({ length: 25_000 }, (__, n) => line(`${n}`.padStart(60, "0"))).join(""));
      expect(await sh("mcp-edge-logs")).toEqual({ code: 0, output: "" });
      expect(new Set(names()).size).toBe(25_000);
      expect(names()).toHaveLength(25_000);
      expect(requests()).toBeLessThan(6);
    });

    test("on a full disk, and does not send lines repeatedly", async () => {
      root.write(ACCESS, line("a"));
      const { output } = await sh(
        `mount -t tmpfs -o size=4k tmpfs /var/lib/state; dd if=/dev/zero of=/var/lib/state/full 2>/dev/null
         mcp-edge-logs; echo $?; ${append("b")}; mcp-edge-logs >/dev/null 2>&1; mcp-edge-logs >/dev/null 2>&1; rm /var/lib/state/full; ${append("c")}; mcp-edge-logs; echo $?; ls /var/lib/state`,
      );
      expect(output).toMatch(/the place is not kept: .*No space left.*\n1\n0\naccess$/s);
      expect(names()).toEqual(["a", "b", "c"]);
    });

    test.each(["", "{", "[1]", '"x"', "null"])(
      "with a position file that a crash left as %j",
      async (broken) => {
        root.write(ACCESS, line("a"));
        root.write("/var/lib/state/access", broken);
        root.write("/var/lib/state/journal", broken);
        expect((await sh("mcp-edge-logs")).code).toBe(0);
        expect(names()).toEqual(["a"]);
      },
    );
  });

  describe("the journal loses nothing", () => {
    test.each([
      ["a weekend's silence", [-60, -58, -30, -1]],
      ["exactly a day between two entries", [-48, -24, 0]],
      ["entries that go back in time, as after a clock was set", [-1, -30, -2, 0]],
    ])("over %s", async (_, hours) => {
      const now = Math.floor(Date.now() / 1000) * 1000;
      journal(hours.map((hour) => ({ at: now + hour * HOUR, message: `at ${hour}` })));
      expect(await sh("mcp-edge-logs")).toEqual({ code: 0, output: "" });
      expect(messages("journal")).toEqual(
        expect.arrayContaining(hours.map((hour) => `x.service: at ${hour}`)),
      );
      expect(
        kept("journal")
          .map(({ timestamp }) => timestamp)
          .sort(),
      ).toEqual(hours.map((hour) => now + hour * HOUR).sort());
    });

    test("with entries older than fourteen days or ahead of the clock, which get an accepted time and contain their own", async () => {
      const now = Date.now();
      const old = now - 20 * 24 * HOUR;
      const ahead = now + 30 * 24 * HOUR;
      journal([
        { at: old, message: "old" },
        { at: now, message: "now" },
        { at: ahead, message: "ahead" },
      ]);
      expect(await sh("mcp-edge-logs")).toEqual({ code: 0, output: "" });
      const own = (at: number) => new Date(at).toISOString().replace("Z", "+00:00");
      expect(messages("journal")).toEqual([
        `[${own(old)}] x.service: old`,
        "x.service: now",
        `[${own(ahead)}] x.service: ahead`,
      ]);
    });

    test("with fields of bytes, of several values, without a value, and of long values", async () => {
      const at = Date.now();
      journal([
        { at, message: [104, 105, 255] },
        { at, message: ["two", [118, 97, 108, 117, 101, 115]] },
        { at, message: null },
        { at, message: "x".repeat(600_000) },
      ]);
      expect(await sh("mcp-edge-logs")).toEqual({ code: 0, output: "" });
      const [bytes, several, nothing, ...long] = messages("journal");
      expect([bytes, several, nothing]).toEqual([
        "x.service: hi\ufffd",
        "x.service: two values",
        "x.service: ",
      ]);
      expect(long.join("")).toBe(`x.service: ${"x".repeat(600_000)}`);
      // Without it, journalctl omits fields that are longer than 4 kB.
      expect(readFileSync(join(root.folder, "upper/fake/journalctl"), "utf8")).toContain("--all");
    });

    test("when one line is always refused: the others arrive, and that one is reported and skipped", async () => {
      root.write("/fake/poison", "poison");
      const at = Date.now();
      journal(Array.from({ length: 200 }, (__, n) => ({ at, message: n === 77 ? "poison" : `line ${n}` })));
      const { code, output } = await sh("mcp-edge-logs; mcp-edge-logs");
      expect(code).toBe(0);
      expect(output.match(/one line .* was left out/g)).toHaveLength(1);
      expect(messages("journal")).toHaveLength(199);
    });

    test("when the file with the last entry was deleted: it continues by the time", async () => {
      const at = Date.now();
      journal([1, 2, 3].map((n) => ({ at: at + n, message: `line ${n}` })));
      root.write("/var/lib/state/journal", JSON.stringify({ cursor: "gone", at: (at + 1) * 1000 }));
      expect(await sh("mcp-edge-logs")).toEqual({ code: 0, output: "" });
      expect(messages("journal")).toEqual(["x.service: line 2", "x.service: line 3"]);
    });
  });

  test("lines that CloudWatch rejects are reported, and delay no other line", async () => {
    // The script accepts lines that are far ahead of the clock, which are too new for CloudWatch.
    root.write(ACCESS, line("a"));
    await sh("sed -i 's/^AHEAD = .*/AHEAD = 99 * 3600 * 1000/' /usr/local/lib/mcp-edge/logs/batches.py");
    root.write(ACCESS, line("a", Date.now() + 5 * HOUR) + line("b", Date.now() + 5 * HOUR));
    const { code, output } = await sh("mcp-edge-logs; mcp-edge-logs");
    expect([code, output]).toEqual([
      0,
      expect.stringContaining('did not keep all of 2 lines: {"tooNewLogEventStartIndex": 0}'),
    ]);
    expect(output.match(/did not keep/g)).toHaveLength(1);
  });
}
