import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "@jest/globals";
import { pythonWithClients, whyNoPython } from "../../clients/python.ts";
import { allow, Browser, startOAuth } from "./support.ts";

const reason = whyNoPython();
if (reason !== undefined)
  test(`cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
else
  test("Python's MCP client connects by registration", async () => {
    const python = await pythonWithClients();
    await using running = await startOAuth();
    const client = spawn(python, [join(import.meta.dirname, "client.py"), `${running.origin}/mcp`]);
    const lines = createInterface({ input: client.stdout });
    const said: string[] = [];
    let problem = "";
    client.stderr.on("data", (data) => {
      problem += data;
    });
    lines.on("line", (line) => {
      said.push(line);
      if (said.length === 1)
        void allow(new Browser(), line).then((back) => client.stdin.write(`${back.href}\n`));
    });
    await once(client, "exit");
    expect(problem).toBe("");
    expect(said[1]).toContain("read_file");
  }, 480_000);
