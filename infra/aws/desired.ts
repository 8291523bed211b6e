import { createHash } from "node:crypto";

/** What all machines of a stack shall run: the object `desired.json`, which they ask for every ten seconds. */
export interface Desired {
  /** sha256 of the release's archive: `releases/<sha256>.tar.zst`. */
  release: string;
  /** Hash of the machine's files: `files/files-<hash>.tar`. */
  files: string;
  /** Identity of the pushed workspace: `workspaces/<identity>.bundle`; "": none is pushed. */
  workspace: string;
  /** Changes with any of these and with the secrets; a status names the one that it is about. */
  generation: string;
}

/**
 * @param secrets names and versions of the parameters: a changed secret is a deployment too
 * @returns the same text for the same content, so that an update without a change deploys nothing. Pure.
 */
export function desired(release: string, files: string, workspace: string, secrets: string): Desired {
  const content = JSON.stringify([release, files, workspace, secrets]);
  const generation = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return { release, files, workspace, generation };
}

/** Keys of the archives that it names. Pure. */
export const archiveKeys = {
  release: (hash: string) => `releases/${hash}.tar.zst`,
  files: (hash: string) => `files/files-${hash}.tar`,
  workspace: (identity: string) => `workspaces/${identity}.bundle`,
};

export const wantedKeys = ({ release, files, workspace }: Desired): string[] => [
  archiveKeys.release(release),
  archiveKeys.files(files),
  ...(workspace ? [archiveKeys.workspace(workspace)] : []),
];

/** The object's text: one line, which a shell script takes apart without a parser. */
export const desiredText = (content: Desired) => `${JSON.stringify(content)}\n`;
