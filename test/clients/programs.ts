import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { onPath } from "../../infra/local/host.ts";
import { withLock } from "../../infra/local/lock.ts";
import { cacheFolder } from "../../infra/paths.ts";

/** A client program: connects to a URL with a token, prints `{tools, text}`, or ends with 1. */
export interface Client {
  readonly name: string;
  readonly language: "python" | "node" | "go" | "rust";
  /** What to install from PyPI, for a Python client. */
  readonly requirement?: string;
  /** Whether the client names /mcp to its user when it was given another path of the server. */
  readonly showsErrors: boolean;
  /** Whether it closes a session of its own by DELETE. */
  readonly deletes: boolean;
}

export const CLIENTS: readonly Client[] = [
  { name: "mcp1", language: "python", requirement: "mcp==1.30.0", showsErrors: false, deletes: true },
  { name: "mcp2", language: "python", requirement: "mcp==2.3.0", showsErrors: true, deletes: false },
  { name: "fastmcp", language: "python", requirement: "fastmcp==4.2.3", showsErrors: true, deletes: false },
  {
    name: "langchain",
    language: "python",
    requirement: "langchain-mcp-adapters==0.3.2",
    showsErrors: false,
    deletes: true,
  },
  { name: "mcp-use", language: "python", requirement: "mcp-use==1.7.1", showsErrors: false, deletes: true },
  {
    name: "openai-agents",
    language: "python",
    requirement: "openai-agents==0.24.0",
    showsErrors: true,
    deletes: false,
  },
  {
    name: "pydantic-ai",
    language: "python",
    requirement: "pydantic-ai-slim[mcp]==2.68.0",
    showsErrors: true,
    deletes: false,
  },
  {
    name: "crewai",
    language: "python",
    requirement: "crewai-tools[mcp]==1.15.30",
    showsErrors: false,
    deletes: true,
  },
  { name: "sdk-1", language: "node", showsErrors: true, deletes: true },
  { name: "sdk-2", language: "node", showsErrors: true, deletes: false },
  { name: "ai-sdk", language: "node", showsErrors: true, deletes: false },
  { name: "langchain-js", language: "node", showsErrors: true, deletes: false },
  { name: "mcp-go", language: "go", showsErrors: false, deletes: false },
  { name: "go-sdk", language: "go", showsErrors: false, deletes: false },
  { name: "rmcp", language: "rust", showsErrors: true, deletes: true },
];

/** Programs that the host must have, with the command that installs them on Debian. */
const NEEDED = {
  python: ["python3", "apt-get install python3-venv"],
  node: ["npm", "apt-get install npm"],
  go: ["go", "see https://go.dev/doc/install"],
  rust: ["cargo", "see https://rustup.rs"],
} as const;

const UV = "uv==0.13.9";

/** The lines before a client's own arguments (name, URL, token). Everything is installed once, into the cache. */
export async function commandOf(client: Client): Promise<[string, ...string[]]> {
  const [program, install] = NEEDED[client.language];
  if (!onPath(program)) throw new Error(`There is no ${program} for the client ${client.name}: ${install}`);
  const folder = import.meta.dirname;
  switch (client.language) {
    case "python":
      return [await python(client.requirement ?? ""), join(folder, "python/client.py"), client.name];
    case "node":
      return [process.execPath, join(await node(join(folder, "node")), "client.mjs"), client.name];
    case "go":
      return [await compiled("go", folder, ["build", "-o"]), client.name];
    case "rust":
      return [await compiled("rust", folder, ["build", "--quiet", "--locked", "--target-dir"]), client.name];
  }
}

/** A virtual environment with one requirement in it. */
async function python(requirement: string): Promise<string> {
  const tools = cacheFolder("clients", UV);
  const uv = join(tools, "bin/uv");
  await once(tools, async () => {
    await run("python3", ["-m", "venv", tools], { timeout: 120_000 });
    await run(join(tools, "bin/python"), ["-m", "pip", "install", "--quiet", UV], { timeout: 300_000 });
  });
  const folder = cacheFolder("clients", requirement.replace(/[^a-z0-9.=-]/g, "_"));
  const interpreter = join(folder, "bin/python");
  await once(folder, async () => {
    await run(uv, ["--quiet", "venv", "--clear", folder], { timeout: 60_000 });
    await run(uv, ["--quiet", "pip", "install", "--python", interpreter, requirement], { timeout: 600_000 });
  });
  return interpreter;
}

/** A copy of the folder with its packages, by its lockfile. */
async function node(source: string): Promise<string> {
  const lock = await readFile(join(source, "package-lock.json"));
  const folder = cacheFolder(
    "clients",
    `node-${createHash("sha256").update(lock).digest("hex").slice(0, 16)}`,
  );
  for (const file of ["package.json", "package-lock.json", "client.mjs"])
    await cp(join(source, file), join(folder, file));
  await once(folder, () => run("npm", ["ci", "--ignore-scripts"], { cwd: folder, timeout: 300_000 }));
  return folder;
}

/** The compiled program; the compilers themselves know what has changed. */
async function compiled(language: "go" | "rust", folder: string, options: string[]): Promise<string> {
  const target = join(cacheFolder("clients", language), language === "go" ? "client" : "");
  const compiler = language === "go" ? "go" : "cargo";
  const timeout = 1_200_000;
  await withLock(`${target.replace(/\/$/, "")}.lock`, () =>
    run(compiler, [...options, target], { cwd: join(folder, language), timeout }),
  );
  return language === "go" ? target : join(target, "debug/mcp-edge-clients");
}

/** Runs `make` unless it has run to its end before. */
async function once(folder: string, make: () => Promise<unknown>): Promise<void> {
  const whole = join(folder, "whole");
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(whole)) return;
    await make();
    await writeFile(whole, "");
  });
}
