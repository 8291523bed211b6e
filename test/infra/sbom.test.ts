import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { NodePins } from "../../infra/official-node.ts";
import { projectRoot } from "../../infra/paths.ts";
import { packageOfFile, sbom } from "../../infra/sbom.ts";

describe("the SBOM of a release", () => {
  const node: NodePins = {
    version: "24.0.0",
    pins: { "linux-x64": { archive: "", binary: "ab".repeat(32), npm: "" } },
  };

  test("does not depend on the order in which packages are found, or how often", async () => {
    const [one, other] = ["node_modules/zod", "node_modules/fastify"];
    const first = await sbom({ arch: "x64", node, packages: [one, other] });
    expect(await sbom({ arch: "x64", node, packages: [other, one, other] })).toBe(first);
  });

  test("lists a package once that is installed in two places", async () => {
    const lock = JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8")).packages;
    const named = (path: string) => path.slice(path.lastIndexOf("node_modules/"));
    const [twice = []] = Object.keys(lock)
      .filter((path) => path.lastIndexOf("node_modules/") > 0)
      .map((path) =>
        Object.keys(lock).filter(
          (other) => named(other) === named(path) && lock[other].version === lock[path].version,
        ),
      )
      .filter((paths) => paths.length > 1);
    expect(twice.length).toBeGreaterThan(1);
    const { components } = JSON.parse(await sbom({ arch: "x64", node, packages: twice }));
    expect(components).toHaveLength(2); // and Node
  });

  test("names a package that the lockfile does not know", async () => {
    await expect(sbom({ arch: "x64", node, packages: ["node_modules/nowhere"] })).rejects.toThrow(
      "package-lock.json has no node_modules/nowhere",
    );
  });

  test.each([
    ["node_modules/zod/index.js", "node_modules/zod"],
    ["node_modules/@fastify/cors/lib/a.js", "node_modules/@fastify/cors"],
    ["node_modules/a/node_modules/@b/c/d.js", "node_modules/a/node_modules/@b/c"],
    ["server/main.ts", undefined],
    [
      "../../elsewhere/node_modules/@fastify/accept-negotiator/index.js",
      "node_modules/@fastify/accept-negotiator",
    ],
    ["../elsewhere/node_modules/a/node_modules/b/lib/x.js", "node_modules/a/node_modules/b"],
  ])("%s belongs to %s", (path, name) => expect(packageOfFile(path)).toBe(name));
});
