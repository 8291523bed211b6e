import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Notifier, watchdogInterval } from "../../../server/systemd/notify.ts";
import { temporaryFolder } from "../support.ts";

describe("watchdogInterval", () => {
  test.each([
    [{ WATCHDOG_USEC: "10000000" }, 5_000],
    [{ WATCHDOG_USEC: "10000000", WATCHDOG_PID: "7" }, 5_000],
    [{ WATCHDOG_USEC: "10000000", WATCHDOG_PID: "8" }, undefined],
    [{ WATCHDOG_USEC: "soon" }, undefined],
    [{}, undefined],
  ])("%j gives %s ms", (env, expected) => expect(watchdogInterval(env, 7)).toBe(expected));
});

describe("Notifier", () => {
  test("hands the states and the socket's name to systemd-notify, and nothing else of the environment", async () => {
    const folder = await temporaryFolder();
    try {
      const said = join(folder.path, "said");
      const fake = join(folder.path, "systemd-notify");
      await writeFile(fake, `#!/bin/sh\n{ echo "$@"; env | cut -d= -f1 | sort | tr '\\n' ' '; } > ${said}\n`);
      await chmod(fake, 0o755);
      const env = { NOTIFY_SOCKET: "/run/x", PATH: `${folder.path}:/usr/bin:/bin`, TOKENS_FILE: "/secret" };
      await new Notifier(env).send("READY=1", "STATUS=well");
      const [states, names] = (await readFile(said, "utf8")).split("\n");
      expect(states).toBe("READY=1 STATUS=well");
      expect(names).toContain("NOTIFY_SOCKET");
      expect(names).not.toContain("TOKENS_FILE");
    } finally {
      await folder.remove();
    }
  });

  test("is silent without a socket, and loud when the command is missing", async () => {
    await expect(new Notifier({ PATH: "/nonexistent" }).send("READY=1")).resolves.toBeUndefined();
    await expect(
      new Notifier({ NOTIFY_SOCKET: "/run/x", PATH: "/nonexistent" }).send("READY=1"),
    ).rejects.toThrow("systemd-notify");
  });
});
