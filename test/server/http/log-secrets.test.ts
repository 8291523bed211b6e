import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { makeToken } from "../auth/support.ts";
import { makeRepository, openSession, rpc, startApp, temporaryFolder } from "../support.ts";

/** Sent in every place where a careless log line would pick it up. */
const CANARY = "canary-7f3a91";

test("the log never contains a token, body, query or response, at any level", async () => {
  const folder = await temporaryFolder();
  try {
    await makeRepository(join(folder.path, "workspace", "sample"), { "a.txt": `${CANARY}-answer\n` });
    const env = {
      WORKSPACE_DIR: join(folder.path, "workspace"),
      TOKENS_FILE: join(folder.path, "tokens.json"),
      AUTH_MODE: "token",
      LOG_LEVEL: "trace",
    };
    await using running = await startApp(env);
    const { token } = await makeToken(env);
    const bad = `mcp_${CANARY}-unknown`;
    const auth = { authorization: `Bearer ${token}`, cookie: `session=${CANARY}` };
    const call = (name: string, args: unknown) => ({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name, arguments: args },
    });
    const session = await openSession(running.origin, auth);
    const asked = [
      () =>
        rpc(running.origin, call("search_text", { query: CANARY }), { ...auth, "mcp-session-id": session }),
      () => rpc(running.origin, call("read_file", { path: "a.txt" }), auth),
      () => rpc(running.origin, call("read_file", { path: `${CANARY}/nothing` }), auth),
      () => rpc(running.origin, call(CANARY, {}), auth),
      () => rpc(running.origin, `{"${CANARY}`, auth),
      () => rpc(running.origin, { [CANARY]: 1 }, { ...auth, "content-type": "text/plain" }),
      () => rpc(running.origin, `"${CANARY.repeat(400_000)}"`, auth),
      () => rpc(running.origin, call("list_files", {}), { authorization: `Bearer ${bad}` }),
      () =>
        fetch(`${running.origin}/mcp?access_token=${token}&q=${CANARY}`, { headers: auth, method: "PUT" }),
      () => fetch(`${running.origin}/demo/stream?n=1&token=${token}`),
      ...["search_text", "read_file"].map(
        (name) => () =>
          fetch(`${running.origin}/api/tools/${name}`, {
            method: "POST",
            headers: { ...auth, "content-type": "application/json" },
            body: JSON.stringify({ query: CANARY, path: "a.txt", extra: CANARY }),
          }),
      ),
      () =>
        fetch(`${running.origin}/api/tools/read_file`, {
          method: "POST",
          headers: { ...auth, "content-type": "application/json" },
          body: `{"path": "${CANARY}`,
        }),
    ];
    for (const ask of asked) await (await ask()).text();
    const requests = () => running.logs.filter((line) => line.msg === "request").length;
    while (requests() < asked.length + 2) await new Promise((r) => setTimeout(r, 5));
    const log = running.logs.map((line) => JSON.stringify(line)).join("\n");
    expect(log).toContain('"trace_id"');
    expect(log).toContain('"path":"/mcp"');
    expect(log).not.toContain(token);
    expect(log).not.toContain(token.slice(4, 20));
    expect(log).not.toContain(CANARY);
    expect(log.toLowerCase()).not.toContain("bearer mcp");
  } finally {
    await folder.remove();
  }
});
