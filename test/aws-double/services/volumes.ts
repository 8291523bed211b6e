import { ApiError, arn, type Kind, newId, tagsAll } from "../kind.ts";
import { oneOf, ranges } from "../limits.ts";
import { attachDisk, detachDisk, makeDisk, removeDisk } from "../machine/disk.ts";
import { number, type Props, text } from "../values.ts";
import { snapshotOf } from "./dlm.ts";

/** EBS volumes (EBS user guide, "Amazon EBS volume types"; EC2 API reference). */

export const VOLUME = "aws:ebs/volume:Volume";
export const ATTACHMENT = "aws:ec2/volumeAttachment:VolumeAttachment";
const INSTANCE = "aws:ec2/instance:Instance";

export const volume: Kind = {
  token: VOLUME,
  replaces: ["availabilityZone", "encrypted", "kmsKeyId", "snapshotId", "outpostArn", "multiAttachEnabled"],
  check: (inputs) => [
    ...oneOf(inputs, { type: ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"] }),
    ...ranges(inputs, { size: [1, 65_536] }),
    ...(inputs.type === "gp3" ? ranges(inputs, { iops: [3000, 80_000], throughput: [125, 2000] }) : []),
    ...(["io1", "io2", "gp3"].includes(text(inputs, "type")) || inputs.iops === undefined
      ? []
      : [["iops", `a volume of type ${inputs.type} takes no iops`] as [string, string]]),
  ],
  make: async (inputs, aws) => {
    if (!text(inputs, "availabilityZone").startsWith(aws.region))
      throw new ApiError("InvalidZone.NotFound", `The zone '${inputs.availabilityZone}' does not exist.`);
    if (inputs.size === undefined && !inputs.snapshotId)
      throw new ApiError("MissingParameter", "The request must contain the parameter size or snapshotId.");
    const id = newId("vol");
    const source = text(inputs, "snapshotId");
    const least = source === "" ? 1 : Number(snapshotOf(aws, source).volumeSize);
    const size = number(inputs, "size") ?? least;
    if (size < least)
      throw new ApiError(
        "InvalidParameterValue",
        `The volume size must be at least ${least} GiB, the snapshot's.`,
      );
    await makeDisk(aws.store.home, id, size, source);
    const outs = {
      arn: arn(aws, "ec2", `volume/${id}`),
      createTime: new Date().toISOString(),
      encrypted: false,
      type: "gp2",
      iops: inputs.type === "gp3" ? 3000 : 100,
      throughput: inputs.type === "gp3" ? 125 : 0,
      kmsKeyId: "",
      multiAttachEnabled: false,
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (before, inputs) => {
    if ((number(inputs, "size") ?? 0) < (number(before.inputs, "size") ?? 0))
      throw new ApiError("InvalidParameterValue", "New size cannot be smaller than existing size.");
    return tagsAll(inputs);
  },
  remove: async ({ id }, aws) => {
    if (aws.store.all(ATTACHMENT).some(({ inputs }) => inputs.volumeId === id))
      throw new ApiError("VolumeInUse", `Volume ${id} is currently attached to an instance.`);
    await removeDisk(aws.store.home, id);
  },
};

const zoneOf = (outs: Props | undefined) => text(outs ?? {}, "availabilityZone");

export const volumeAttachment: Kind = {
  token: ATTACHMENT,
  replaces: ["deviceName", "instanceId", "volumeId"],
  references: { volumeId: { token: VOLUME, weak: true }, instanceId: { token: INSTANCE, weak: true } },
  check: (inputs) =>
    typeof inputs.deviceName === "string" &&
    !/^(\/dev\/)?(sd[f-p]|xvd[f-p]|xvd[b-d][a-z]?)$/.test(inputs.deviceName)
      ? [["deviceName", `"${inputs.deviceName}" must be one of /dev/sd[f-p], the names for data volumes`]]
      : [],
  make: async (inputs, aws) => {
    const volumeId = text(inputs, "volumeId");
    const instanceId = text(inputs, "instanceId");
    const others = aws.store.all(ATTACHMENT);
    if (others.some(({ inputs: other }) => other.volumeId === volumeId))
      throw new ApiError("VolumeInUse", `${volumeId} is already attached to an instance.`);
    if (
      others.some(
        ({ inputs: other }) => other.instanceId === instanceId && other.deviceName === inputs.deviceName,
      )
    )
      throw new ApiError("InvalidParameterValue", `${inputs.deviceName} is already in use.`);
    const theirs = zoneOf(aws.store.get(INSTANCE, instanceId)?.outs);
    if (zoneOf(aws.store.get(VOLUME, volumeId)?.outs) !== theirs)
      throw new ApiError(
        "InvalidVolume.ZoneMismatch",
        `The volume '${volumeId}' is not in the zone ${theirs}.`,
      );
    await attachDisk(aws.store.home, volumeId, instanceId);
    return { id: `vai-${volumeId.slice(4)}-${instanceId.slice(2)}`, outs: {} };
  },
  remove: async ({ inputs }, aws) => {
    if (inputs.skipDestroy === true) return;
    const how =
      inputs.stopInstanceBeforeDetaching === true ? "stop" : inputs.forceDetach === true ? "force" : "ask";
    const busy = await detachDisk(aws.store.home, text(inputs, "volumeId"), text(inputs, "instanceId"), how);
    if (busy)
      throw new ApiError(
        "IncorrectState",
        `${inputs.volumeId} stays busy: it is mounted in ${inputs.instanceId}. Unmount it, or stop the instance.`,
      );
  },
};
