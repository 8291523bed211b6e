import * as pulumi from "@pulumi/pulumi";
import { awsUserData } from "../../cloud-init/aws-user-data.ts";
import { gzipUserData } from "../../cloud-init/user-data.ts";
import { backupTag } from "./backups.ts";
import { Machine, type MachineArgs } from "./machine.ts";
import { Storage, type StorageArgs } from "./storage.ts";
import type { Tags } from "./tags.ts";

export interface EdgeMachineArgs
  extends Omit<MachineArgs, "volumeId" | "userData" | "transform">,
    Pick<StorageArgs, "snapshotId" | "restored"> {
  /** Name of the edge, by which its backups find the volume. */
  edge: string;
  /** Path of the edge's parameters and of its log group. */
  prefix: string;
  region: string;
  /** The bucket from which the machine pulls its deployments. */
  bucket: pulumi.Input<string>;
  /** GiB of the data volume. */
  dataVolumeSize: pulumi.Input<number>;
  tags: Tags;
  transform?: (MachineArgs["transform"] & StorageArgs["transform"]) | undefined;
  /** What must exist before the machine boots: its permissions, the objects that it pulls. */
  dependsOn: pulumi.Resource[];
}

/** A machine of an edge, as its alarms, its outputs and the wait for it need it. */
export interface EdgeMachine extends Pick<Machine, "instanceId" | "instanceUrn" | "ipv4" | "ipv6" | "ready"> {
  /** The name of the machine in resources and in tags (machine-names.ts). */
  machine: string;
  label: string;
  volumeUrn: pulumi.Output<string>;
}

/**
 * Creates a machine with its data volume and its user data. A function and no component: the parts are children of the edge itself, as
 * in stacks of earlier versions.
 */
export function edgeMachine(name: string, args: EdgeMachineArgs, parent: pulumi.Resource): EdgeMachine {
  const { edge, label, subnet, protect, tags, transform, snapshotId, restored } = args;
  const { prefix, region, bucket, dataVolumeSize, dependsOn, ...machine } = args;
  const { volumeId, volumeUrn } = new Storage(
    name,
    {
      ...{ label, zone: subnet.zone, size: dataVolumeSize, snapshotId, restored, protect, transform },
      tags: { ...tags, ...backupTag(edge) },
    },
    { parent },
  );
  const userData = pulumi.all([bucket, volumeId]).apply(([bucket, volume]) => {
    const endpoint = process.env.MCP_EDGE_MACHINE_ENDPOINT ?? "";
    return gzipUserData(awsUserData({ prefix, region, bucket, volume, endpoint })).toString("base64");
  });
  const { instanceId, instanceUrn, ipv4, ipv6, ready } = new Machine(
    name,
    { ...machine, volumeId, userData },
    { parent, dependsOn },
  );
  return { machine: name, label, instanceId, instanceUrn, ipv4, ipv6, ready, volumeUrn };
}
