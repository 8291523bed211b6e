import { createHash } from "node:crypto";

/** The desired state of all machines of a stack: the object `desired.json`, which they read every ten seconds. */
export interface Desired {
  /** sha256 of the release's archive: `releases/<sha256>.tar.zst`. */
  release: string;
  /** Hash of the machine's files: `files/files-<hash>.tar`. */
  files: string;
  /** Identity of the pushed workspace: `workspaces/<identity>.bundle`; "" if none is pushed. */
  workspace: string;
  /** Changes with any of these and with the secrets. Each status names its generation. */
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

/** Keys of the archives of a desired state. Pure. */
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

/** The object's text: one line, which a shell script can split without a JSON parser. */
export const desiredText = (content: Desired) => `${JSON.stringify(content)}\n`;
