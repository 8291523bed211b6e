import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "@jest/globals";
import { pythonWithClients, whyNoPython } from "../../clients/python.ts";
import { allow, Browser, startOAuth } from "./support.ts";

const DOCUMENT = "https://client.example.com/client.json";

const reason = whyNoPython();
if (reason !== undefined)
  test(`cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
else
  test.each([
    ["mcp", "registration", []],
    ["mcp", "a metadata document", [DOCUMENT]],
    ["fastmcp", "registration", []],
    ["fastmcp", "a metadata document", [DOCUMENT]],
  ])(
    "Python's client %s connects by %s",
    async (kind, _, document) => {
      const python = await pythonWithClients();
      const body = {
        client_id: DOCUMENT,
        client_name: "Python",
        redirect_uris: ["http://localhost/callback"],
      };
      await using running = await startOAuth({ fetch: async () => Response.json(body) });
      const script = join(import.meta.dirname, "client.py");
      const client = spawn(python, [script, kind, `${running.origin}/mcp`, ...document]);
      const lines = createInterface({ input: client.stdout });
      const printed: string[] = [];
      let problem = "";
      client.stderr.on("data", (data) => {
        problem += data;
      });
      lines.on("line", (line) => {
        printed.push(line);
        if (printed.length > 1) return;
        void allow(new Browser(), line).then(async (back) => {
          if (kind === "mcp") client.stdin.write(`${back.href}\n`);
          else await delivered(back);
        });
      });
      // What a program printed is there when its pipes are closed, which may be after its exit.
      await Promise.all([once(client, "close"), once(lines, "close")]);
      expect([printed[1], problem]).toEqual([expect.stringContaining("read_file"), expect.any(String)]);
      expect(new URL(printed[0] ?? "").searchParams.get("client_id") === DOCUMENT).toBe(document.length > 0);
    },
    480_000,
  );

/** The browser goes back to the client, which begins to listen at about that time. */
async function delivered(back: URL): Promise<void> {
  for (const started = Date.now(); Date.now() - started < 100_000; ) {
    if (await fetch(back).catch(() => undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
