import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { indexCommand } from "../../../cli/commands/index-upload.ts";
import { freePort } from "../../support/free-port.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-"));
  file = join(folder, "index.scip");
  await writeFile(file, "");
  process.env.MCP_EDGE_TOKEN = "mcp_test";
});
afterEach(async () => {
  delete process.env.MCP_EDGE_TOKEN;
  await rm(folder, { recursive: true });
});

const upload = (...args: string[]) =>
  indexCommand().parseAsync(["upload", ...args, "--commit", "0123456789"], { from: "user" });

test("upload asks for the address of the server", async () => {
  await expect(upload(file)).rejects.toThrow("Pass --url https://HOST");
  await expect(upload(file, "--url", "mcp.example.com")).rejects.toThrow(
    "mcp.example.com is not the address of a server",
  );
});

test("upload takes the token from the environment alone, and names the command that creates one", async () => {
  delete process.env.MCP_EDGE_TOKEN;
  await expect(upload(file, "--url", "https://mcp.example.com")).rejects.toThrow(
    /Set MCP_EDGE_TOKEN .*mcp-edge token create/,
  );
});

test("upload names a file that cannot be read", async () => {
  await expect(upload(join(folder, "none.scip"), "--url", "https://mcp.example.com")).rejects.toThrow(
    /none\.scip cannot be read/,
  );
});

test("upload says why a server cannot be reached", async () => {
  const origin = `http://127.0.0.1:${await freePort()}`;
  await expect(upload(file, "--url", origin)).rejects.toThrow(
    `${origin} cannot be reached: connect ECONNREFUSED`,
  );
});
