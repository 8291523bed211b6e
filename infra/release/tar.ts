import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";

/** A file of the archive. */
export interface Entry {
  name: string;
  mode: number;
  content: Buffer;
}

/** A tar whose bytes depend on names, modes and contents alone. */
export async function reproducibleTar(entries: Entry[]): Promise<Buffer> {
  const tar = pack();
  const folders = new Set(entries.flatMap(({ name }) => foldersAbove(name)));
  for (const name of [...folders].sort()) tar.entry({ name, type: "directory", mode: 0o755, ...ROOT });
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, mode, content } of sorted) tar.entry({ name, mode, ...ROOT }, content);
  tar.finalize();
  return buffer(tar);
}

/** The folders of a path, outermost first. */
const foldersAbove = (path: string) =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, n, parts) => parts.slice(0, n + 1).join("/"));

const ROOT = { uid: 0, gid: 0, uname: "root", gname: "root", mtime: new Date(0) };
