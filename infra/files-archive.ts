import { join } from "node:path";
import { filesArchive } from "../cloud-init/files-archive.ts";
import { filesHash, type MachineFile } from "../cloud-init/machine-files.ts";
import { useCached, writeCached } from "./cached-files.ts";
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
  if (!(await useCached(archive))) await writeCached(archive, await filesArchive(files));
  return { hash, archive };
}
