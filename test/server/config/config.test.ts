import { describe, expect, test } from "@jest/globals";
import { readConfig, readTokenConfig } from "../../../server/config/config.ts";
import { ConfigError } from "../../../server/config/variable.ts";
import { isLoopback } from "../../../server/http/peer.ts";

const here = { pid: 7, cwd: "/home/dev/project" };

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env, here);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("readConfig", () => {
  test("development: loopback, no token, the current folder as the one repository", () => {
    expect(readConfig({}, here)).toEqual({
      publicUrl: undefined,
      authMode: "none",
      tokensFile: "/srv/mcp-edge/state/tokens.json",
      workspace: { kind: "single", dir: "/home/dev/project" },
      sync: { remotes: [], credentials: [], everySeconds: 600 },
      adminSocket: undefined,
      listen: { kind: "tcp", host: "127.0.0.1", port: 3000 },
      release: "dev",
      slot: "",
      logLevel: "info",
      chatGptTools: "auto",
      status: { dir: undefined, machineFile: undefined },
      directCalls: true,
      drainSeconds: 20,
      allowedOrigins: [],
      ripgrepPath: undefined,
      sessionsDir: undefined,
      serve: "all",
      limits: { perAddress: 100, perToken: 100, quotaPerDay: 0, eventLoopMs: 0, rssBytes: 0 },
      shares: { calls: 32, listens: 100, resources: 1_000, sessions: 1_000, liveSessions: 500 },
      storeUrl: undefined,
      embeddings: undefined,
      grants: [],
      identity: { providers: [], secretsFile: undefined, localSignIn: "yes", checkMinutes: 60 },
      audit: { dir: undefined, fileBytes: 16 * 1024 * 1024, files: 20, withArguments: false },
      index: {
        dir: expect.stringMatching(/\/\.cache\/mcp-edge\/index$/),
        pollSeconds: 10,
        typescript: "yes",
      },
      jwt: { issuer: undefined, audience: undefined, untypedAllowed: "no", scopes: new Map(), clockSkew: 60 },
      tokenDomain: undefined,
      tracing: undefined,
      systemd: { notifySocket: undefined, watchdogMs: undefined },
      dev: true,
    });
  });

  test("under systemd: the passed socket, tokens, the machine's folders", () => {
    const config = readConfig(
      {
        LISTEN_FDS: "1",
        LISTEN_PID: "7",
        NOTIFY_SOCKET: "/run/systemd/notify",
        PUBLIC_URL: "https://mcp.example.com",
        ADMIN_SOCKET: "/run/mcp-edge/blue.sock",
        COLOUR: "blue",
        ALLOWED_ORIGINS: "https://chat.example:8443, inspector.example",
      },
      here,
    );
    expect(config.listen).toEqual({ kind: "fd", fd: 3 });
    expect(config.authMode).toBe("token");
    expect(config.workspace).toEqual({ kind: "folder", dir: "/srv/mcp-edge/workspace" });
    expect(config.allowedOrigins).toEqual(["https://chat.example:8443", "inspector.example"]);
    expect(config.publicUrl?.origin).toBe("https://mcp.example.com");
    expect(config.sessionsDir).toBe("/srv/mcp-edge/state/sessions");
    expect(config.audit.dir).toBe("/srv/mcp-edge/audit");
    expect(config.dev).toBe(false);
  });

  test("a socket that was passed to another process is not ours", () => {
    expect(readConfig({ LISTEN_FDS: "1", LISTEN_PID: "8" }, here).listen.kind).toBe("tcp");
  });

  test("an empty value counts as unset", () => {
    expect(readConfig({ PUBLIC_URL: "", AUTH_MODE: " ", PORT: "" }, here).listen).toMatchObject({
      port: 3000,
    });
  });

  test("all problems at once, each naming its variable and its fix", () => {
    const found = problems({
      PUBLIC_URL: "mcp.example.com/path",
      AUTH_MODE: "nobody",
      PORT: "70000",
      DRAIN_SECONDS: "soon",
      LOG_LEVEL: "loud",
      TOKENS_FILE: "tokens.json",
    });
    expect(found).toHaveLength(6);
    for (const key of ["PUBLIC_URL", "AUTH_MODE", "PORT", "DRAIN_SECONDS", "LOG_LEVEL", "TOKENS_FILE"])
      expect(found.some((line) => new RegExp(`^${key}\\b`).test(line))).toBe(true);
    expect(found).toContainEqual(expect.stringMatching(/^PORT=70000: /));
    expect(found.every((line) => /for example: /.test(line))).toBe(true);
  });

  test.each([
    ["a public name", { PUBLIC_URL: "https://mcp.example.com" }],
    ["another address", { HOST: "0.0.0.0" }],
    ["a passed socket", { LISTEN_FDS: "1", LISTEN_PID: "7" }],
  ])("AUTH_MODE=none is refused with %s, unless it is allowed by name", (_, env) => {
    expect(problems({ AUTH_MODE: "none", ...env })).toEqual([
      expect.stringContaining("AUTH_NONE_ALLOWED=yes"),
    ]);
    expect(readConfig({ AUTH_MODE: "none", AUTH_NONE_ALLOWED: "yes", ...env }, here).authMode).toBe("none");
  });

  test("beyond loopback the default is token", () => {
    expect(readConfig({ HOST: "0.0.0.0" }, here).authMode).toBe("token");
  });

  test("a malformed origin is named by its place", () => {
    expect(problems({ ALLOWED_ORIGINS: "https://" })).toEqual([
      expect.stringContaining("entry 1 is not an origin"),
    ]);
  });
});

test.each([
  ["localhost", true],
  ["127.8.9.1", true],
  ["[::1]", true],
  ["127.evil.example", false],
  ["10.0.0.1", false],
  ["0.0.0.0", false],
])("isLoopback(%s) is %s", (host, expected) => expect(isLoopback(host)).toBe(expected));

/** Each variable with a value that it refuses and that holds a secret, by mistake or because that is why it is refused. */
test.each([
  ["EMBEDDINGS_URL", "https://user:hunter2@models.example/v1"],
  ["EMBEDDINGS_URL", "https://:hunter2@models.example/v1"],
  ["EMBEDDINGS_URL", "hunter2"],
  ["PUBLIC_URL", "https://user:hunter2@mcp.example.com"],
  ["PUBLIC_URL", "https://mcp.example.com/?key=hunter2"],
  ["STORE_URL", "valkey://:hunter2@/0"],
  ["STORE_URL", "valkey://user:hunter2%@valkey.example/0"],
  ["STORE_URL", "unix://hunter2@"],
  ["REPOSITORIES", "https://user:hunter2@git.example.com/o/n"],
  ["REPOSITORIES", "user:hunter2@git.example.com:o/n"],
  ["GIT_CREDENTIALS", "hunter2"],
  ["GIT_CREDENTIALS", "https://user:hunter2%@git.example.com"],
  ["ALLOWED_ORIGINS", "https://user:hunter2@"],
  ["TOKENS_FILE", "hunter2"],
  ["ADMIN_SOCKET", "hunter2"],
  ["INDEX_DIR", "hunter2"],
  ["RIPGREP_PATH", "hunter2"],
  ["PORT", "a b hunter2"],
])("a problem with %s never shows its value: %s", (name, value) => {
  const found = problems({ [name]: value });
  expect(found).toEqual([expect.stringMatching(new RegExp(`^${name}\\b`))]);
  expect(found.join()).not.toContain("hunter2");
});

test("a wrong STORE_URL is named without its password", () => {
  const env = { STORE_URL: "http://user:hunter2@valkey.example" };
  expect(() => readConfig(env)).toThrow("STORE_URL: is not the URL of a Valkey or Redis server");
  expect(() => readConfig(env)).not.toThrow("hunter2");
  expect(readConfig({ STORE_URL: "valkey://127.0.0.1:6379/1" }).storeUrl).toBe("valkey://127.0.0.1:6379/1");
});

test.each([
  [{ WATCHDOG_USEC: "10000000" }, 10_000],
  [{ WATCHDOG_USEC: "10000000", WATCHDOG_PID: "7" }, 10_000],
  [{ WATCHDOG_USEC: "10000000", WATCHDOG_PID: "8" }, undefined],
  [{ WATCHDOG_USEC: "soon" }, undefined],
])("the watchdog of %j is %s ms", (env, expected) => {
  expect(readConfig(env, here).systemd.watchdogMs).toBe(expected);
});

test("the token command reads its own variables and needs no others", () => {
  expect(readTokenConfig({ PORT: "wrong" })).toEqual({
    tokensFile: "/srv/mcp-edge/state/tokens.json",
    sessionsDir: "/srv/mcp-edge/state/sessions",
    storeUrl: undefined,
  });
  expect(() => readTokenConfig({ STORE_URL: "http://user:hunter2@x" })).toThrow("STORE_URL: ");
});

test.each([
  [{ OTEL_SERVICE_NAME: "edge" }, { spans: true, metrics: true }],
  [{ OTEL_TRACES_EXPORTER: "console" }, { spans: true, metrics: false }],
  [{ OTEL_METRICS_EXPORTER: "console" }, { spans: false, metrics: true }],
  [
    { OTEL_TRACES_EXPORTER: "console", OTEL_EXPORTER_OTLP_ENDPOINT: "http://[::1]:4318" },
    { spans: true, metrics: true },
  ],
])("%j exports %j", (variables, exported) => {
  expect(readConfig(variables).tracing).toMatchObject(exported);
});
