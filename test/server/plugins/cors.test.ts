import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { INITIALIZE, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
beforeAll(async () => {
  folder = await temporaryFolder();
  running = await startApp({
    WORKSPACE_DIR: folder.path,
    TOKENS_FILE: `${folder.path}/tokens.json`,
    AUTH_MODE: "token",
    ALLOWED_ORIGINS: "https://chat.example",
  });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await folder.remove();
});

const preflight = (origin: string, path = "/mcp", headers: Record<string, string> = {}) =>
  fetch(`${running.origin}${path}`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", ...headers },
  });

describe("pages of other origins", () => {
  test.each(["/mcp", "/mcp/", "/api/tools/list_files"])(
    "an allowed one may ask for %s, before any token",
    async (path) => {
      const response = await preflight("https://chat.example", path, {
        "access-control-request-headers": "authorization,content-type,mcp-protocol-version,mcp-param-region",
      });
      expect(response.status).toBe(204);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "access-control-allow-origin": "https://chat.example",
        "access-control-allow-methods": "GET, POST, DELETE",
        "access-control-allow-headers": "authorization,content-type,mcp-protocol-version,mcp-param-region",
        "access-control-max-age": "7200",
        vary: expect.stringMatching(/origin/i),
      });
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    },
  );

  // Node's fetch leaves an empty header out.
  test.each(["/", "/mcp", "/api/tools", "/readyz", "/nope"])(
    "an empty Origin counts as none (%s)",
    async (path) => {
      const statusFor = (headers: Record<string, string>) =>
        new Promise((resolve, reject) => {
          request(`${running.origin}${path}`, { headers }, (response) =>
            resolve(response.resume().statusCode),
          )
            .on("error", reject)
            .end();
        });
      expect(await statusFor({ origin: "" })).toBe(await statusFor({}));
    },
  );

  test("a page may read the challenge of a 401 and the session id", async () => {
    const response = await rpc(running.origin, INITIALIZE, { origin: "https://chat.example" });
    expect(response.status).toBe(401);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://chat.example");
    const exposed = response.headers.get("access-control-expose-headers");
    for (const name of ["Mcp-Session-Id", "WWW-Authenticate", "Retry-After", "X-Request-Id"])
      expect(exposed).toContain(name);
  });

  test.each(["https://evil.example", "https://chat.example.evil.example", "null"])(
    "%s may not",
    async (origin) => {
      const response = await preflight(origin);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      const call = await rpc(running.origin, INITIALIZE, { origin });
      expect(call.status).toBe(403);
      expect(call.headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  test("an OPTIONS without an origin is refused with Allow", async () => {
    const response = await fetch(`${running.origin}/mcp`, { method: "OPTIONS" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, POST, DELETE");
  });
});
