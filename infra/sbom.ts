import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Contrib, Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import type { NodePins } from "./official-node.ts";
import { projectRoot } from "./paths.ts";

interface Locked {
  version: string;
  integrity: string;
  license?: string;
}

export interface SbomInput {
  /** Processor of the machine. */
  arch: string;
  /** Packages as package-lock.json names them: `node_modules/a`, `node_modules/a/node_modules/b`. */
  packages: Iterable<string>;
  node: NodePins;
}

/**
 * The package of a file, as package-lock.json names it; undefined: it belongs to none. A linked node_modules lies outside of the project,
 * so what comes before it does not count.
 */
export function packageOfFile(path: string): string | undefined {
  return /(?<![^/])node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

// Without a parser of expressions each licence that is no SPDX id is kept as its text.
const licences = new Contrib.License.Factories.LicenseFactory((expression) => {
  if (!/ (AND|OR|WITH) /.test(expression)) throw new Error(`"${expression}" is no SPDX expression`);
});

/**
 * What a release holds, as a CycloneDX 1.6 document (ECMA-424): Node and every npm package of which a file is in it, with
 * version, licence and hash. No serial number and no time are in it, so the same release has the same bytes.
 * @throws Error when package-lock.json does not know a package
 */
export async function sbom({ arch, packages, node }: SbomInput): Promise<string> {
  const lock: Record<string, Locked> = JSON.parse(
    await readFile(join(projectRoot, "package-lock.json"), "utf8"),
  ).packages;
  const own = lock[""] as Locked;
  const release = new Models.Component(Enums.ComponentType.Application, "mcp-edge", {
    bomRef: "mcp-edge",
    version: own.version,
    licenses: new Models.LicenseRepository([licences.makeFromString(own.license ?? "")]),
    properties: new Models.PropertyRepository([new Models.Property("mcp-edge:architecture", arch)]),
  });
  const components = [nodeComponent(node, arch)];
  const known = new Set<string>();
  for (const path of [...packages].sort()) {
    const locked = lock[path];
    if (!locked) throw new Error(`package-lock.json has no ${path}: npm ci`);
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const component = npmComponent(name, locked);
    // npm installs one version in several places; a second component of one name would get a random reference.
    if (known.has(component.purl ?? "")) continue;
    known.add(component.purl ?? "");
    components.push(component);
  }
  for (const { bomRef } of components) release.dependencies.add(bomRef);
  const metadata = new Models.Metadata({ component: release });
  const bom = new Models.Bom({ metadata, components: new Models.ComponentRepository(components) });
  const normalizer = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(normalizer).serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function npmComponent(name: string, { version, integrity, license }: Locked): Models.Component {
  const [, scope, short = name] = /^(@[^/]+)\/(.*)$/.exec(name) ?? [];
  // https://github.com/package-url/purl-spec: the scope's @ is percent-encoded.
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const sha512 = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  return new Models.Component(Enums.ComponentType.Library, short, {
    bomRef: purl,
    ...(scope ? { group: scope } : {}),
    version,
    purl,
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-512"], sha512]]),
    licenses: new Models.LicenseRepository(license ? [licences.makeFromString(license)] : []),
  });
}

function nodeComponent({ version, pins }: NodePins, arch: string): Models.Component {
  const purl = `pkg:generic/node@${version}?arch=${arch}&os=linux`;
  return new Models.Component(Enums.ComponentType.Platform, "node", {
    bomRef: purl,
    version,
    purl,
    // By this name its vulnerabilities are listed in the NVD.
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    hashes: new Models.HashDictionary([
      [Enums.HashAlgorithm["SHA-256"], pins[`linux-${arch}`]?.binary ?? ""],
    ]),
    licenses: new Models.LicenseRepository([licences.makeFromString("MIT")]),
  });
}
