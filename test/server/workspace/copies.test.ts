import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "@jest/globals";
import { Sync } from "../../../server/workspace/sync/sync.ts";
import { temporaryFolder } from "../support.ts";
import { type CopyKeeper, copiesContract } from "./copies-contract.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let keeper: CopyKeeper;
beforeAll(async () => {
  folder = await temporaryFolder();
  const place = join(folder.path, "workspace");
  const remotes = join(folder.path, "remotes");
  for (const each of [place, remotes]) await mkdir(each);
  keeper = {
    place,
    remotes,
    marker: "mcp-edge-copy",
    sh: (script) =>
      new Promise((resolve) =>
        execFile("/bin/bash", ["-c", `exec 2>&1\n${script}`], (error, output) =>
          resolve({ code: error ? Number(error.code) : 0, output }),
        ),
      ),
    bring: async (url, name) => {
      const log = { info: () => undefined, warn: () => undefined };
      const remote = { name, url, branch: undefined };
      const sync = new Sync({
        ...{ dir: place, remotes: [remote], credentials: [], everySeconds: 3_600, log },
        onChanged: () => undefined,
      });
      await sync.refresh();
      await sync.close();
      const state = sync.state(name);
      return { ok: state?.state === "ready", said: state?.reason ?? "" };
    },
  };
});
afterAll(() => folder.remove());

describe("the server's copies of remotes", () => copiesContract(() => keeper));
