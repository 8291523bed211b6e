import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./exec.ts";
import { cacheFolder } from "./paths.ts";

export interface NpmPackage {
  /** Such as `@vscode/ripgrep-linux-arm64`. */
  name: string;
  version: string;
  /** Subresource integrity of its tarball (`sha512-…`), as package-lock.json has it. */
  integrity: string;
}

/** A package is not the one that this repository names. */
export class IntegrityError extends Error {
  override name = "IntegrityError";
}

/**
 * A package that npm has not installed, since it is another platform's: fetched from the registry that npm uses, once.
 * @returns its folder in the cache; complete or not there
 * @throws CommandError when npm cannot fetch it; IntegrityError when its content is not the expected one, or no integrity is known
 */
export async function npmPackage({ name, version, integrity }: NpmPackage): Promise<string> {
  if (!version || !/^sha512-/.test(integrity))
    throw new IntegrityError(
      `package-lock.json does not pin ${name}: npm install, then npm test -- test/package-lock`,
    );
  // The integrity is part of the name: what lies there was checked against it.
  const mark = Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex").slice(0, 12);
  const folder = join(cacheFolder("native"), `${name.replace(/^@.*\//, "")}-${version}-${mark}`);
  if (existsSync(folder)) return folder;
  const work = await mkdtemp(`${folder}.`);
  try {
    const pack = ["pack", `${name}@${version}`, "--ignore-scripts", "--json", "--pack-destination", work];
    const { stdout } = await run("npm", pack, { timeout: 300_000, cwd: work });
    const [packed] = JSON.parse(stdout) as [{ filename: string }];
    const archive = join(work, packed.filename.replaceAll("/", "-").replace(/^@/, ""));
    const hash = createHash("sha512")
      .update(await readFile(archive))
      .digest("base64");
    if (`sha512-${hash}` !== integrity)
      throw new IntegrityError(
        `${name}@${version} from npm's registry is sha512-${hash}; this repository names ${integrity}`,
      );
    const unpacked = join(work, "unpacked");
    await mkdir(unpacked);
    await run("tar", ["-xzf", archive, "-C", unpacked, "--strip-components=1", "--no-same-owner"]);
    await rename(unpacked, folder).catch((error) => {
      if (!existsSync(folder)) throw error; // another run was quicker
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
