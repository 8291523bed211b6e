import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { cacheFolder } from "../../infra/paths.ts";

/** Another MCP server with the same two tools, `echo` and `large`, at `/mcp`. */
export interface Peer {
  readonly name: string;
  /** @param port where it listens, on loopback */
  command(port: number): string[];
  /** Whether it compiles its code while it runs, and so needs a longer warm-up. */
  readonly compiles?: true;
}

/** Pinned: figures of different days are comparable. */
const PYTHON = ["fastmcp==4.1.2", "fastapi==0.165.0", "hypercorn==0.18.0", "chuk-mcp-server==0.26.1"];

const here = (...path: string[]) => join(import.meta.dirname, "peers", ...path);

/**
 * The peers that can be built on this host, from their ecosystems' registries. What is built is kept in the cache, so only the first run takes
 * minutes. A peer whose compiler or package is missing is left out, with a line that says so.
 */
export async function peers(log: (line: string) => void): Promise<Peer[]> {
  const builders: [string, () => Promise<Peer[]>][] = [
    ["Python", () => pythonPeers(log)],
    ["Go", () => goPeers(log)],
    ["Rust", () => rustPeers(log)],
  ];
  const found: Peer[] = [
    {
      name: "TypeScript SDK on node:http",
      command: (port) => [process.execPath, here("sdk.ts"), String(port)],
      compiles: true,
    },
  ];
  for (const [language, build] of builders)
    found.push(
      ...(await build().catch((error: Error) => {
        log(`left out: the peers in ${language} (${error.message.split("\n", 1)[0]})`);
        return [];
      })),
    );
  return found;
}

/** A folder in the cache for what is made from these texts, filled once. @returns its path */
async function made(
  name: string,
  from: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const key = createHash("sha256").update(JSON.stringify(from)).digest("hex").slice(0, 16);
  const folder = cacheFolder("bench", `${name}-${key}`);
  if (existsSync(join(folder, "whole"))) return folder;
  await rm(folder, { recursive: true, force: true });
  await make(folder);
  await run("touch", [join(folder, "whole")]);
  return folder;
}

const texts = (...files: string[]) => Promise.all(files.map((file) => readFile(here(file), "utf8")));

async function pythonPeers(log: (line: string) => void): Promise<Peer[]> {
  const folder = await made("python", PYTHON, async (into) => {
    log(`installing ${PYTHON.join(", ")}`);
    await run("python3", ["-m", "venv", into]);
    await run(
      join(into, "bin/python"),
      ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PYTHON],
      { timeout: 900_000 },
    );
  });
  const peer = (name: string, file: string): Peer => ({
    name,
    command: (port) => [join(folder, "bin/python"), here("python", file), String(port)],
  });
  return [peer("FastMCP, FastAPI, Hypercorn", "fastmcp_peer.py"), peer("chuk-mcp-server", "chuk_peer.py")];
}

async function goPeers(log: (line: string) => void): Promise<Peer[]> {
  const folder = await made("go", await texts("go/main.go", "go/go.mod"), async (into) => {
    log("building mcp-go and the official Go SDK");
    await run("go", ["build", "-C", here("go"), "-o", join(into, "peer"), "."], { timeout: 900_000 });
  });
  return ["mcp-go", "go-sdk"].map((name) => ({
    name: name === "go-sdk" ? "official Go SDK" : name,
    command: (port) => [join(folder, "peer"), name, String(port)],
  }));
}

async function rustPeers(log: (line: string) => void): Promise<Peer[]> {
  const sources = await texts("rust/src/main.rs", "rust/Cargo.toml", "rust/Cargo.lock");
  const folder = await made("rust", sources, async (into) => {
    log("building rmcp");
    const manifest = here("rust/Cargo.toml");
    await run(
      "cargo",
      ["build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", into],
      {
        timeout: 900_000,
      },
    );
  });
  return [{ name: "rmcp", command: (port) => [join(folder, "release/mcp-edge-peer"), String(port)] }];
}
