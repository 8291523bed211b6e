import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { run } from "../infra/exec.ts";
import { temporaryFolder } from "./server/support.ts";

const ROOT = join(import.meta.dirname, "..");

interface Violation {
  rule: { name: string };
  from: string;
}

/** The violations in a tree, as `rule: file`. */
async function violations(cwd: string, folders: string[]): Promise<string[]> {
  const program = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
  const config = join(ROOT, ".dependency-cruiser.js");
  const args = [program, "--config", config, "--output-type", "json", ...folders];
  const { stdout } = await run(process.execPath, args, { cwd });
  const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } };
  return summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`).sort();
}

/** `npm run check` applies the rules to the tree itself. */
test("each rule of the layers finds what it forbids", async () => {
  const { path: folder, remove } = await temporaryFolder();
  try {
    const files: Record<string, string> = {
      "cli/connect/up.ts": 'import "../commands/c.ts";',
      "cli/commands/c.ts": "",
      "cli/operations/o.ts": 'import "../commands/c.ts";',
      "cli/doctor/d.ts": 'import "../stack/s.ts";',
      "cli/stack/s.ts": "",
      "cloud-init/r.ts": 'import "../infra/aws/component.ts";',
      "cloud-init/p.ts": 'import * as pulumi from "@pulumi/pulumi";',
      "cloud-init/types.ts": 'import type { Input } from "@pulumi/pulumi";',
      "infra/a.ts": 'import type { B } from "./b.ts";',
      "infra/b.ts": 'export const b = async () => import("./a.ts");',
      "infra/aws/component.ts": 'import "../local/l.ts";',
      "infra/local/l.ts": "",
      "infra/to-cli.ts": 'import "../cli/stack/s.ts";',
      "infra/to-server.ts": 'export { s } from "../server/s.ts";',
      "infra/to-test.ts": 'import "../test/t.ts";',
      "infra/to-dev.ts": 'import "jest";',
      "infra/to-nowhere.ts": 'import "./nowhere.ts";',
      "server/s.ts": 'import "../infra/local/l.ts";',
      "test/t.ts": "",
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    const packages = { dependencies: { "@pulumi/pulumi": "*" }, devDependencies: { jest: "*" } };
    await writeFile(join(folder, "package.json"), JSON.stringify(packages));
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    expect(await violations(folder, ["cli", "cloud-init", "infra", "server"])).toEqual([
      "cli-arrows: cli/connect/up.ts",
      "dependencies-are-declared: infra/to-dev.ts",
      "doctor-knows-no-stack: cli/doctor/d.ts",
      "no-cycles: infra/a.ts",
      "no-dangling-imports: infra/to-nowhere.ts",
      "no-import-of-the-command-line: infra/to-cli.ts",
      "no-tests-in-source: infra/to-test.ts",
      "operations-print-nothing: cli/operations/o.ts",
      "provisioning-knows-no-server: infra/to-server.ts",
      "renderers-import-renderers: cloud-init/r.ts",
      "renderers-make-no-resources: cloud-init/p.ts",
      "server-stands-alone: server/s.ts",
      "targets-do-not-meet: infra/aws/component.ts",
    ]);
  } finally {
    await remove();
  }
});
