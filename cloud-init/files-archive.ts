import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { type MachineFile, manifest } from "./machine-files.ts";

/**
 * The archive that `mcp-edge-deploy files HASH` reads from /srv/mcp-edge/incoming/files-HASH.tar: every file at its path,
 * and MANIFEST, whose sha256 is `filesHash(files)`. The same files give the same bytes.
 */
export async function filesArchive(files: readonly MachineFile[]): Promise<Buffer> {
  const tar = pack();
  const entry = (name: string, content: string) =>
    tar.entry({ name, mode: 0o644, mtime: new Date(0) }, content);
  entry("MANIFEST", manifest(files));
  for (const file of files) entry(file.path.slice(1), file.content);
  tar.finalize();
  return buffer(tar);
}
