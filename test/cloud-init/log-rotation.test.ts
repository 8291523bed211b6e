import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { type DebianRoot, rootWithPrograms, whyNot } from "./debian-root.ts";
import { EDGE_AND_CLIENTS } from "./edge-and-clients.ts";
import { SETTINGS } from "./fixture.ts";

/** NGINX's logs on a small file system: rotated by size, and full. */
function rotation() {
  let root: DebianRoot;

  beforeAll(async () => {
    root = await rootWithPrograms(
      machineFiles({ ...SETTINGS, rateLimit: 10_000, rateBurst: 20_000 }),
      "fake-server.py",
    );
  }, 600_000);
  afterAll(() => root?.remove());

  const LOGROTATE = /ExecStart=(.*)/.exec(
    machineFiles(SETTINGS).find(({ path }) => path.endsWith("mcp-edge-logrotate.service"))?.content ?? "",
  )?.[1];
  const onMachine = async (script: string): Promise<string[]> => {
    const { output } = await root.sh(`
      mount -t tmpfs -o size=12m,mode=755 logs /var/log; install -d -o www-data -g adm /var/log/nginx
      mkdir -p /var/lib/logrotate; rm -f /var/lib/logrotate/*
      ${EDGE_AND_CLIENTS}
      # NGINX opens its logs again, and writes a line, a moment after what causes it.
      reopened() { ! ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q 'access\\.log\\.[0-9]'; }
      logged() { [ "$(wc -l </var/log/nginx/access.log)" -ge "$1" ]; }
      many() { from 198.51.100.2 --max-time 30 --parallel --parallel-max 20 -A "$(head -c 256 /dev/zero | tr '\\0' a)" "https://${SETTINGS.domain}/$(head -c 500 /dev/zero | tr '\\0' a)?[1-$1]" -o /dev/null -w '%{http_code}\\n' | sort | uniq -c | xargs; }
      ${script}`);
    return output.trim().split("\n");
  };

  test("a log that is too large is rotated at once, and NGINX writes to the new file", async () => {
    const lines = await onMachine(`
      sed -i 's/maxsize 50M/maxsize 500k/; s/rotate 14/rotate 3/' /etc/logrotate.d/nginx
      for round in 1 2 3 4 5 6; do many 1000; ${LOGROTATE}; within reopened; done; many 5; within logged 5
      wc -l </var/log/nginx/access.log; ls /var/log/nginx | grep access | xargs; du -sm /var/log/nginx | cut -f 1
      stat -c '%a %U %G' /var/log/nginx/access.log; ${LOGROTATE}; wc -l </var/log/nginx/access.log`);
    expect(lines.slice(0, 7)).toEqual([...Array(6).fill("1000 401"), "5 401"]);
    expect(lines.slice(7, 9)).toEqual(["5", "access.log access.log.1 access.log.2.gz access.log.3.gz"]);
    expect(Number(lines[9])).toBeLessThanOrEqual(4);
    expect(lines.slice(10)).toEqual(["640 www-data adm", "5"]);
  });

  test("a full file system stops no request, no stream and no rotation, and logging continues when there is space", async () => {
    const lines = await onMachine(`
      stream one 198.51.100.2
      dd if=/dev/zero of=/var/log/filler bs=64k 2>/dev/null; dd if=/dev/zero of=/var/log/filler2 bs=1 2>/dev/null
      many 300; code 198.51.100.3 --http3-only; code 198.51.100.3 -X POST -d "$(head -c 100000 /dev/zero | tr '\\0' a)"
      grows one
      ${LOGROTATE} && echo rotated; within reopened; rm /var/log/filler*; sleep 1.2; many 7; within logged 7
      tail -n 7 /var/log/nginx/access.log | python3 -c 'import json, sys; print(sum(json.loads(l)["status"] == 401 for l in sys.stdin))'`);
    expect(lines).toEqual(["300 401", "401", "401", "grows", "rotated", "7 401", "7"]);
  });
}

const reason = whyNot();

if (reason !== undefined) {
  test(`log rotation cannot be tried here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("NGINX's logs", rotation);
}
