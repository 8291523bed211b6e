import { readFile } from "node:fs/promises";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { rolesOf, serverKind } from "../../cloud-init/topology.ts";
import { type FilesArchive, writeFilesArchive } from "../files-archive.ts";
import { buildRelease, type Release } from "../release.ts";
import { machineSettings } from "../settings/machine.ts";
import type { AwsSettings } from "../settings.ts";
import { type PreparedWorkspace, prepareWorkspace } from "../workspace.ts";
import { acmeDirectory } from "./acme.ts";
import { type PreparedEdgeFiles, prepareEdgeFiles } from "./edge-files.ts";
import { assertSubnets } from "./network.ts";

/** The files that an edge uploads to its bucket, in the cache of this host. */
export interface PreparedEdge extends PreparedWorkspace {
  release: Release;
  /** Of the machine that runs the server. */
  files: FilesArchive;
  /** With `edge: passthrough`, the files of the edge. */
  edgeFiles?: PreparedEdgeFiles | undefined;
}

/**
 * Builds and reads everything that an edge needs from this host.
 * @param release default: the server of this checkout, for the machine's processor
 * @throws Error when the workspace cannot be pushed, the file `acmeCa` cannot be read, or a subnet is unfit
 */
export async function prepareAwsEdge(settings: AwsSettings, release?: Release): Promise<PreparedEdge> {
  await assertSubnets(settings);
  const { workspace, bundle } = await prepareWorkspace(settings);
  const { acme, acmeCa, alarms, logs, edge } = settings;
  const around = {
    workspace: workspace.source,
    workspaceName: workspace.name,
    acmeServer: acmeDirectory(acme),
    ...(acmeCa === "" ? {} : { trustedCa: await readFile(acmeCa, "utf8") }),
    aws: { metrics: alarms === "full", logs: logs === "cloudwatch" },
  };
  const files = await writeFilesArchive(
    machineFiles(machineSettings(settings, around), rolesOf(edge, serverKind(edge))),
  );
  const edgeFiles =
    edge === "passthrough"
      ? await prepareEdgeFiles((originMachine) => machineSettings(settings, { ...around, originMachine }))
      : undefined;
  const arch = settings.architecture === "amd64" ? "x64" : "arm64";
  return { workspace, bundle, files, edgeFiles, release: release ?? (await buildRelease(undefined, arch)) };
}
