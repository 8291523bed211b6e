import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Capabilities } from "../../../server/capabilities/registry.ts";
import { CodeIndex } from "../../../server/index/code-index.ts";
import { Semantic } from "../../../server/index/semantic/semantic.ts";
import type { Tool } from "../../../server/tools/tool.ts";
import { findRipgrep } from "../../../server/workspace/ripgrep.ts";
import { Workspace } from "../../../server/workspace/workspace.ts";
import { makeRepository, SAMPLE_FILES, temporaryFolder } from "../support.ts";
import { type FakeService, startEmbeddingService } from "./embedding-service.ts";

export interface Fixture {
  /** The workspace's folder. */
  path: string;
  workspace: Workspace;
  index: CodeIndex;
  semantic: Semantic;
  /** What semantic asks. */
  service: FakeService;
  capabilities: Capabilities;
  /** Validates the arguments as the server does, then runs the tool. */
  call(tool: Tool, args: Record<string, unknown>, signal?: AbortSignal): Promise<Record<string, unknown>>;
  remove(): Promise<void>;
}

/** A workspace with the repositories `alpha` and `beta`, traps in alpha, and a secret beside them. */
export async function makeFixture(): Promise<Fixture> {
  const folder = await temporaryFolder();
  const path = join(folder.path, "workspace");
  await mkdir(path);
  await writeFile(join(folder.path, "outside.txt"), "needle outside\n");
  const alpha = join(path, "alpha");
  await makeRepository(alpha, {
    ...SAMPLE_FILES,
    "binary.dat": Buffer.from([0x6e, 0x65, 0x65, 0x64, 0x6c, 0x65, 0, 1, 2]),
    "crlf.txt": "one\r\nneedle two\r\n",
    "long.js": `${"a".repeat(3_000)}needle${"b".repeat(3_000)}\n`,
    "lines.txt": Array.from({ length: 100 }, (_, i) => `line ${i + 1}\n`).join(""),
    "odd [name]*.md": "needle in an odd name\n",
    "wide.ps1": Buffer.from("\ufeffWrite-Host sixteen\r\n", "utf16le"),
    "empty.txt": "",
  });
  await symlink(join(folder.path, "outside.txt"), join(alpha, "leaves.txt"));
  await symlink("..", join(alpha, "up"));
  await symlink("/dev/zero", join(alpha, "zero"));
  await symlink(".git/config", join(alpha, "config-link"));
  await symlink("src/main.ts", join(alpha, "inside-link.ts"));
  await makeRepository(join(path, "beta"), { "beta.txt": "beta\n", ".gitignore": "secret.env\n" });
  await mkdir(join(path, "not-a-repository"));
  await symlink(folder.path, join(path, "linked"));
  return openFixture(folder, path);
}

/** A workspace with the one repository `code`, committed once. */
export async function makeCodeFixture(
  files: Readonly<Record<string, string>>,
  options: { python?: string } = {},
): Promise<Fixture> {
  const folder = await temporaryFolder();
  const path = join(folder.path, "workspace");
  await makeRepository(join(path, "code"), files);
  return openFixture(folder, path, options);
}

/** The tools over a workspace, its index built. */
async function openFixture(
  folder: Awaited<ReturnType<typeof temporaryFolder>>,
  path: string,
  options: { python?: string } = {},
): Promise<Fixture> {
  const workspace = new Workspace({ kind: "folder", dir: path });
  const ripgrep = await findRipgrep(undefined);
  const capabilities = new Capabilities();
  const quiet = { info: () => undefined, warn: () => undefined };
  const index = new CodeIndex({
    ...options,
    dir: join(folder.path, "index"),
    workspace,
    capabilities,
    pollSeconds: 3_600,
    // A busy host is slow, not a call that asks for too much.
    callMs: 100_000,
    log: quiet,
  });
  await index.start();
  await index.refresh();
  const service = await startEmbeddingService();
  const semantic = new Semantic({
    dir: join(folder.path, "index"),
    workspace,
    capabilities,
    service: { url: service.url, model: "test", key: "k3y" },
    pollSeconds: 3_600,
    callMs: 100_000,
    log: quiet,
  });
  await semantic.refresh();
  return {
    path,
    call: async (tool, args, signal = new AbortController().signal) => {
      const result = await tool.run(tool.input.parse(args), { workspace, ripgrep, index, semantic, signal });
      return tool.output.strict().parse(result);
    },
    workspace,
    index,
    semantic,
    service,
    capabilities,
    remove: async () => {
      await semantic.close();
      await index.close();
      await service.close();
      await folder.remove();
    },
  };
}
