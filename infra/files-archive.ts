import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { filesArchive } from "../cloud-init/files-archive.ts";
import { filesHash, type MachineFile } from "../cloud-init/machine-files.ts";
import { cacheFolder } from "./paths.ts";

/** The machine's files as one archive, for the deploy script of a machine that is already up. */
export interface FilesArchive {
  hash: string;
  /** `files-<hash>.tar` in the cache. */
  archive: string;
}

export async function writeFilesArchive(files: MachineFile[]): Promise<FilesArchive> {
  const hash = filesHash(files);
  const archive = join(cacheFolder("files"), `files-${hash}.tar`);
  if (!existsSync(archive)) {
    await writeFile(`${archive}.partial`, await filesArchive(files));
    await rename(`${archive}.partial`, archive);
  }
  return { hash, archive };
}
