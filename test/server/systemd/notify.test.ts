import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Notifier } from "../../../server/systemd/notify.ts";
import { temporaryFolder } from "../support.ts";

describe("Notifier", () => {
  test("hands the states and the socket's name to systemd-notify, and nothing else of the environment", async () => {
    const folder = await temporaryFolder();
    try {
      const said = join(folder.path, "said");
      const fake = join(folder.path, "systemd-notify");
      await writeFile(fake, `#!/bin/sh\n{ echo "$@"; env | cut -d= -f1 | sort | tr '\\n' ' '; } > ${said}\n`);
      await chmod(fake, 0o755);
      await new Notifier("/run/x", `${folder.path}:/usr/bin:/bin`).send("READY=1", "STATUS=well");
      const [states, names] = (await readFile(said, "utf8")).split("\n");
      expect(states).toBe("READY=1 STATUS=well");
      expect(names).toContain("NOTIFY_SOCKET");
      expect(names).not.toContain("HOME");
    } finally {
      await folder.remove();
    }
  });

  test("is silent without a socket, and loud when the command is missing", async () => {
    await expect(new Notifier(undefined, "/nonexistent").send("READY=1")).resolves.toBeUndefined();
    await expect(new Notifier("/run/x", "/nonexistent").send("READY=1")).rejects.toThrow("systemd-notify");
  });
});
