import { createHash } from "node:crypto";

/** The desired state of all machines of a stack: the object `desired.json`, which they read every ten seconds. */
export interface Desired {
  /** sha256 of the release's archive: `releases/<sha256>.tar.zst`. */
  release: string;
  /** Hash of the files of the machine that runs the server: `files/files-<hash>.tar`. */
  files: string;
  /** With `edge: passthrough`, the hash of the files of the edge, which runs no release. */
  edgeFiles?: string;
  /** Identity of the pushed workspace: `workspaces/<identity>.bundle`; "" if none is pushed. */
  workspace: string;
  /** Id of the Route 53 zone in which the machines prove the domain (dns-01). Absent: over HTTP. */
  zone?: string;
  /** Changes with release, files, workspace and with the secrets. Each status names its generation. */
  generation: string;
}

/**
 * @param content without its generation. Another zone is no deployment.
 * @param secrets names and versions of the parameters: a changed secret is a deployment too
 * @returns the same text for the same content, so that an update without a change deploys nothing. Pure.
 */
export function desired(content: Omit<Desired, "generation">, secrets: string): Desired {
  const { release, files, workspace, edgeFiles, zone } = content;
  const all = JSON.stringify([release, files, workspace, secrets, ...(edgeFiles ? [edgeFiles] : [])]);
  const generation = createHash("sha256").update(all).digest("hex").slice(0, 16);
  return {
    ...{ release, files },
    ...(edgeFiles ? { edgeFiles } : {}),
    workspace,
    ...(zone ? { zone } : {}),
    generation,
  };
}

/** Keys of the archives of a desired state. Pure. */
export const archiveKeys = {
  release: (hash: string) => `releases/${hash}.tar.zst`,
  files: (hash: string) => `files/files-${hash}.tar`,
  workspace: (identity: string) => `workspaces/${identity}.bundle`,
};

export const wantedKeys = ({ release, files, edgeFiles, workspace }: Desired): string[] => [
  archiveKeys.release(release),
  archiveKeys.files(files),
  ...(edgeFiles ? [archiveKeys.files(edgeFiles)] : []),
  ...(workspace ? [archiveKeys.workspace(workspace)] : []),
];

/** The object's text: one line, which a shell script can split without a JSON parser. */
export const desiredText = (content: Desired) => `${JSON.stringify(content)}\n`;
