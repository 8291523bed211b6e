import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";

type Entry = {
  version?: string;
  resolved?: string;
  link?: boolean;
  integrity?: string;
  optionalDependencies?: Record<string, string>;
};

/**
 * `npm ci` refuses a lockfile that lacks an optional package of another platform, and npm writes such a lockfile
 * without a word where the registry it asked did not have that package. A clone would not install anywhere.
 */
describe("package-lock.json", () => {
  const packages: Record<string, Entry> = JSON.parse(readFileSync("package-lock.json", "utf8")).packages;
  const entries = Object.entries(packages).filter(([path]) => path !== "");

  test("holds each optional package of each platform", () => {
    const names = new Set(entries.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + 13)));
    const missing = entries.flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {})
        .filter((name) => !names.has(name))
        .map((name) => `${path} -> ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test("pins each package by its content and names no registry", () => {
    expect(entries.filter(([, entry]) => !entry.version || !entry.integrity).map(([path]) => path)).toEqual(
      [],
    );
    expect(entries.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([]);
  });
});
