import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connections, connectText } from "../../../cli/connect/client-setup.ts";

describe("the instructions for clients", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mcp-edge-connect-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const url = "https://mcp.example.com/mcp";
  const clients = (rootsFile?: string) =>
    connections({ stack: "prod", url, ...(rootsFile ? { rootsFile } : {}) }, "secret");

  test("say nothing about roots with a public certificate", () => {
    expect(clients().map(({ client }) => client)).toEqual([
      "Claude Code",
      "VS Code",
      "Cursor (~/.cursor/mcp.json)",
      "curl",
    ]);
    expect(connectText({ stack: "prod", url }, "secret")).not.toMatch(/CA_CERTS|cacert|CERT_FILE|trustStore/);
  });

  test("use a separate endpoint for tokens if people sign in", () => {
    const [first, ...others] = connections({ stack: "prod", url, auth: "oauth" }, "secret");
    expect(first?.text).toBe(`${url}   (the steps for each client: https://mcp.example.com/)`);
    expect(others).toHaveLength(4);
    for (const { text } of others) expect(text).toContain(`${url}/token`);
  });

  test("use the second host name for tokens where there is one", () => {
    const target = { stack: "prod", url, auth: "oauth", tokenDomain: "token.example.com" } as const;
    const [first, ...others] = connections(target, "secret");
    expect(first?.text).toContain(url);
    for (const { text } of others) expect(text).toContain("https://token.example.com/mcp");
  });

  test("hold no token where none is needed", () => {
    const text = connectText({ stack: "prod", url, auth: "none" }, undefined);
    expect(text).not.toMatch(/Authorization|MCP_EDGE_TOKEN/);
    expect(text).toContain(`claude mcp add --transport http mcp-edge-prod ${url}\n`);
  });

  test("have instructions for private roots for each kind of client", () => {
    const text = connectText({ stack: "prod", url, rootsFile: "/r.pem" }, "secret");
    for (const way of [
      "NODE_EXTRA_CA_CERTS=/r.pem",
      "--cacert /r.pem",
      "SSL_CERT_FILE=",
      "keytool -importcert",
    ])
      expect(text).toContain(way);
  });

  test("have a bundle for SSL_CERT_FILE with the system's roots and the stack's", async () => {
    const rootsFile = join(folder, "roots.pem");
    await writeFile(rootsFile, "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n");
    const lines = clients(rootsFile).find(({ client }) => client.includes("Python"))?.text;
    const { stdout } = await promisify(execFile)("bash", ["-c", `${lines}\necho "$SSL_CERT_FILE"`], {
      env: { PATH: process.env.PATH, HOME: folder },
    });
    expect(stdout.trim()).toBe(join(folder, "mcp-edge-prod-roots.pem"));
    const bundle = await readFile(stdout.trim(), "utf8");
    expect(bundle).toContain("ours");
    expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50);
  });

  test("name the variable if the token's secret is unknown", () => {
    for (const { text } of connections({ stack: "prod", url }, undefined))
      expect(text).toContain("$MCP_EDGE_TOKEN");
  });
});
