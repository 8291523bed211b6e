import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { projectRoot } from "../../../../infra/paths.ts";
import { clientsCommand } from "../../../../server/auth/clients-command.ts";
import { freePort } from "../../../support/free-port.ts";
import { temporaryFolder } from "../../support.ts";
import { allow, Browser, startOAuth } from "./support.ts";

const SUITE = join(projectRoot, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

test("the public suite finds its metadata and its code grant conformant, for a client that the operator registered", async () => {
  const folder = await temporaryFolder();
  const env = { SESSIONS_DIR: folder.path };
  const running = await startOAuth({ env });
  const port = await freePort();
  let written = "";
  const command = clientsCommand(env, (text) => {
    written += text;
  });
  const add = ["add", "--name", "Suite", "--redirect", `http://127.0.0.1:${port}/callback`, "--json"];
  await command.parseAsync(add, { from: "user" });
  const { id } = JSON.parse(written) as { id: string };
  const target = ["--url", running.origin, "--client-id", id, "--resource", `${running.origin}/mcp`];
  const suite = spawn(process.execPath, [SUITE, "authorization", ...target, "--port", String(port)]);
  let output = "";
  let visited = false;
  suite.stdout.on("data", (data) => {
    output += data;
    const url = /^http:\S+\/authorize\?\S+$/m.exec(output)?.[0];
    if (!url || visited || !output.includes("Callback server started")) return;
    visited = true;
    void allow(new Browser(), url).then((back) => fetch(back));
  });
  // What it printed is there when its pipes are closed, which may be after its exit.
  const [code] = await once(suite, "close");
  await running.app.close();
  await folder.remove();
  expect(output).toMatch(/Total: 3 passed, 0 failed/);
  expect(code).toBe(0);
});
