import * as pulumi from "@pulumi/pulumi";
import { awsUserData } from "../../cloud-init/aws-user-data.ts";
import { gzipUserData } from "../../cloud-init/user-data.ts";
import type { Duty } from "./alarm-table.ts";
import { backupTag } from "./backups.ts";
import { Machine, type MachineArgs } from "./machine.ts";
import { Storage, type StorageArgs } from "./storage.ts";
import type { Tags } from "./tags.ts";

export interface EdgeMachineArgs extends Omit<MachineArgs, "volume" | "userData" | "transform"> {
  /** Name of the edge, by which its backups find the volume. */
  edge: string;
  /** Path of the edge's parameters and of its log group. */
  prefix: string;
  region: string;
  /** The bucket from which the machine pulls its deployments. */
  bucket: pulumi.Input<string>;
  /** Its data volume; undefined: it keeps nothing, and only forwards packets. */
  data: DataVolume | undefined;
  tags: Tags;
  transform?: (MachineArgs["transform"] & StorageArgs["transform"]) | undefined;
}

/** `name` and `label` are those of the volume, which may belong to different machines in the course of time. */
export interface DataVolume extends Pick<StorageArgs, "label" | "size" | "snapshotId" | "restored"> {
  name: string;
}

/** A machine of an edge, as its alarms, its outputs and the wait for it need it. */
export interface EdgeMachine
  extends Pick<Machine, "instanceId" | "instanceUrn" | "interfaceId" | "ipv4" | "ipv6" | "ready"> {
  /** The name of the machine in resources and in tags (machine-names.ts). */
  machine: string;
  label: string;
  duty: Duty;
  /** undefined: it has no data volume, and runs no server. */
  volumeUrn: pulumi.Output<string> | undefined;
}

/**
 * Creates a machine with its data volume and its user data. A function and no component: the parts are children of the edge itself, as
 * in stacks of earlier versions.
 */
export function edgeMachine(name: string, args: EdgeMachineArgs, parent: pulumi.Resource): EdgeMachine {
  const { edge, data, prefix, region, bucket, ...machine } = args;
  const { label, subnet, protect, tags, transform } = args;
  const storage =
    data &&
    new Storage(
      data.name,
      { ...data, zone: subnet.zone, protect, transform, tags: { ...tags, ...backupTag(edge) } },
      { parent },
    );
  const userData = pulumi.all([bucket, storage?.volumeId ?? ""]).apply(([bucket, volume]) => {
    const endpoint = process.env.MCP_EDGE_MACHINE_ENDPOINT ?? "";
    return gzipUserData(
      awsUserData({ prefix, region, bucket, volume, endpoint, forwards: args.forwards }),
    ).toString("base64");
  });
  const volume = data && storage ? { id: storage.volumeId, name: data.name } : undefined;
  const made = new Machine(name, { ...machine, volume, userData }, { parent });
  const { instanceId, instanceUrn, interfaceId, ipv4, ipv6, ready } = made;
  return {
    ...{ machine: name, label, instanceId, instanceUrn, interfaceId, ipv4, ipv6, ready },
    duty: data ? "server" : "forwarder",
    volumeUrn: storage?.volumeUrn,
  };
}
