import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import type { MachineSettings } from "../../cloud-init/settings.ts";
import { rolesOf } from "../../cloud-init/topology.ts";
import { type FilesArchive, writeFilesArchive } from "../files-archive.ts";

/** The files of an edge that forwards packets. They name the addresses of its origin, which AWS assigns. */
export interface EdgeFiles {
  /** Hash of the files with other addresses. It names the resource, since the addresses are not known in a first preview. */
  identity: string;
  archive: pulumi.Output<FilesArchive>;
}

interface Addresses {
  ipv4: string;
  ipv6: string;
}

/** The files before the origin has its addresses. */
export interface PreparedEdgeFiles {
  identity: string;
  archiveFor(origin: Addresses): Promise<FilesArchive>;
}

/** For documentation (RFC 5737, RFC 3849). */
const NO_ADDRESSES: Addresses = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };

/** @param settings those of the edge's files, given the addresses of its origin */
export async function prepareEdgeFiles(
  settings: (originMachine: Addresses) => MachineSettings,
): Promise<PreparedEdgeFiles> {
  const archiveFor = (origin: Addresses) =>
    writeFilesArchive(machineFiles(settings(origin), rolesOf("passthrough", "edge")));
  const { hash } = await archiveFor(NO_ADDRESSES);
  return { identity: hash, archiveFor };
}

/** @param port the origin's network interface */
export const edgeFiles = (
  { identity, archiveFor }: PreparedEdgeFiles,
  port: aws.ec2.NetworkInterface,
): EdgeFiles => ({
  identity,
  archive: pulumi
    .all([port.privateIp, port.ipv6Addresses])
    .apply(([ipv4, [ipv6 = ""]]) => archiveFor({ ipv4, ipv6 })),
});
