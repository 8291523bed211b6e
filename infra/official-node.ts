import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "./exec.ts";
import { IntegrityError, npmPackage } from "./npm-package.ts";
import { cacheFolder, projectRoot } from "./paths.ts";
import { reasonOf } from "./reason-of.ts";

/** One build of Node as nodejs.org publishes it. */
export interface NodePin {
  /** sha256 of `node-v<version>-<platform>.tar.gz`, from the release's SHASUMS256.txt, hex. */
  archive: string;
  /** sha256 of the `bin/node` in it, hex. */
  binary: string;
  /** Integrity of npm's `node-<platform>@<version>`, a repackaging by others that carries the same `bin/node`. */
  npm: string;
}

export interface NodePins {
  version: string;
  pins: Record<string, NodePin>;
}

/** The pins of this repository (`npm run node-pins` writes them). */
export async function nodePins(): Promise<NodePins> {
  const { version, ...pins } = JSON.parse(await readFile(join(projectRoot, "infra/node-pins.json"), "utf8"));
  return { version, pins };
}

/** Where releases of Node lie; `NODEJS_ORG_MIRROR` names a copy, as for other tools. */
export const nodeMirror = () =>
  (process.env.NODEJS_ORG_MIRROR ?? "https://nodejs.org/dist").replace(/\/$/, "");

/** @returns sha256 of a file, hex; "" when it is not there */
export async function sha256Of(file: string): Promise<string> {
  if (!existsSync(file)) return "";
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/**
 * The binary of Node that machines run: byte for byte that of the official release, from any source. This host's own is used
 * when it is the same file; else nodejs.org's, or that of npm's registry where nodejs.org cannot be reached.
 * @param platform as Node's archives are named: `linux-x64` or `linux-arm64`
 * @param local binaries of Node on this host that may be the same
 * @returns path of the binary
 * @throws IntegrityError when what was fetched is another file; Error with both reasons when neither source could be reached
 */
export async function officialNode(platform: string, local: string[], known?: NodePins): Promise<string> {
  const { version, pins } = known ?? (await nodePins());
  const pin = pins[platform];
  if (!pin) throw new Error(`infra/node-pins.json has no Node for ${platform}: npm run node-pins`);
  const cached = join(cacheFolder("native"), `node-${version}-${platform}-${pin.binary.slice(0, 12)}`);
  for (const file of [cached, ...local]) if ((await sha256Of(file)) === pin.binary) return file;
  let reason = "";
  try {
    return await fromNodejsOrg(platform, version, pin, cached);
  } catch (error) {
    if (error instanceof IntegrityError) throw error;
    reason = (error as Error).message;
  }
  const name = `node-${platform}`;
  const folder = await npmPackage({ name, version, integrity: pin.npm }).catch((error) => {
    throw error instanceof IntegrityError ? error : new Error(`${reason}; ${error.message}`);
  });
  const binary = join(folder, "bin/node");
  await mustBe(binary, pin.binary, `bin/node of npm's ${name}@${version}`);
  return binary;
}

async function mustBe(file: string, wanted: string, what: string): Promise<void> {
  const found = await sha256Of(file);
  if (found !== wanted)
    throw new IntegrityError(
      `${what} has the sha256 ${found || "of nothing"}; infra/node-pins.json says ${wanted}`,
    );
}

async function fromNodejsOrg(
  platform: string,
  version: string,
  pin: NodePin,
  target: string,
): Promise<string> {
  const name = `node-v${version}-${platform}`;
  const work = await mkdtemp(`${target}.`);
  try {
    const archive = join(work, "node.tar.gz");
    await download(`${nodeMirror()}/v${version}/${name}.tar.gz`, archive);
    await mustBe(archive, pin.archive, `${name}.tar.gz of ${nodeMirror()}`);
    await run("tar", ["-xzf", archive, "-C", work, "--no-same-owner", `${name}/bin/node`]);
    const binary = join(work, name, "bin/node");
    await mustBe(binary, pin.binary, `bin/node in ${name}.tar.gz`);
    await chmod(binary, 0o755);
    await rename(binary, target);
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @throws Error when the server does not answer within 10 s, or the whole takes more than 10 minutes */
export async function download(url: string, file: string): Promise<void> {
  const stop = new AbortController();
  const silent = setTimeout(() => stop.abort(new Error("no answer within 10 s")), 10_000);
  try {
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(600_000)]);
    const response = await fetch(url, { signal });
    clearTimeout(silent);
    if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
    await writeFile(file, response.body);
  } catch (error) {
    throw new Error(`${url}: ${reasonOf(error as Error)}`);
  } finally {
    clearTimeout(silent);
  }
}
