import * as pulumi from "@pulumi/pulumi";
import type { AwsSettings } from "../settings.ts";
import { type EdgeMachine, type EdgeMachineArgs, edgeMachine } from "./edge-machine.ts";
import type { Firewall } from "./firewall.ts";
import type { Identity } from "./identity.ts";
import { imageOf } from "./image.ts";
import { machineLabel, machineName, originLabel, originName } from "./machine-names.ts";
import type { Network, Subnet } from "./network.ts";
import { once } from "./once.ts";
import type { Passthrough } from "./passthrough.ts";

type Common = Pick<EdgeMachineArgs, "prefix" | "region" | "bucket" | "tags" | "transform" | "bootsAfter">;

type MachineSettings = Pick<
  AwsSettings,
  | ("machines" | "image" | "architecture" | "instanceType" | "protect")
  | ("rootVolumeSize" | "dataVolumeSize" | "snapshotId")
>;

export interface EdgeMachinesArgs extends Common {
  settings: MachineSettings;
  network: Network;
  firewall: Firewall;
  identity: Identity;
  /** With `edge: passthrough`, what the machine behind the edge has of its own. */
  origin: Origin | undefined;
}

export interface Origin {
  network: Passthrough;
  firewall: Firewall;
  identity: Identity;
  /** Waits until the edge forwards. The origin's first boot needs it. */
  awaitEdge(edge: EdgeMachine, routes: pulumi.Resource[]): pulumi.Resource;
}

export interface EdgeMachines {
  /** In the order of their numbers; with an origin, first the edge and then the origin. */
  machines: EdgeMachine[];
  /** What replaces a machine, besides a command. */
  replaceWith: pulumi.Output<string>;
}

/**
 * Creates the machines of an edge: those that do everything, or an edge that forwards packets and its origin.
 *
 * When the setting `edge` of a stack changes, public addresses stay with the edge and the data volume moves to the machine that runs the
 * server: the volume and its attachment have the same names in both cases.
 */
export function edgeMachines(name: string, args: EdgeMachinesArgs, parent: pulumi.Resource): EdgeMachines {
  const { settings, network, firewall, identity, origin, ...common } = args;
  const { instanceType, rootVolumeSize, dataVolumeSize: size, snapshotId, protect, architecture } = settings;
  const child = { parent };
  const image = imageOf(settings, child);
  // The value of the setting `machine` of earlier versions. It stays part of the trigger, since its removal would replace those machines.
  const asked = once(`${name}-machine-asked`, { value: "keep", neutral: "keep" }, child);
  const restored = once(`${name}-snapshot-asked`, { value: snapshotId, neutral: "" }, child);
  // A machine gets its volume's id at its first boot, so another volume needs another machine.
  const replaceWith = pulumi.interpolate`${architecture} ${asked} ${restored}`;
  const every = {
    ...common,
    ...{ edge: name, image, instanceType, rootVolumeSize, protect },
    // The command line finds the bucket by this tag.
    instanceTags: { Bucket: common.bucket },
  };
  const volume = (index: number) => ({
    ...{ name: machineName(name, index), label: machineLabel(name, index), size, snapshotId, restored },
  });
  const subnet = (index: number) => network.subnets[index % network.subnets.length] as Subnet;
  const outside = { groupId: firewall.groupId, reachable: [...network.ready, ...firewall.rules] };
  const bootsAfter = (own: Identity) => [own.policy, ...common.bootsAfter];
  if (!origin) {
    const machines = Array.from({ length: settings.machines }, (_, index) =>
      edgeMachine(
        machineName(name, index),
        {
          ...{ ...every, ...outside, label: machineLabel(name, index), subnet: subnet(index) },
          ...{ profile: identity.profile, bootsAfter: bootsAfter(identity), replaceWith },
          data: volume(index),
        },
        parent,
      ),
    );
    return { machines, replaceWith };
  }
  const forwarder = edgeMachine(
    machineName(name, 0),
    {
      ...{ ...every, ...outside, label: machineLabel(name, 0), subnet: subnet(0), forwards: true },
      ...{ profile: identity.profile, bootsAfter: bootsAfter(identity), data: undefined },
      // It has no volume, so a restored one does not replace it. A machine that was more than a forwarder is replaced.
      replaceWith: pulumi.interpolate`${architecture} ${asked} forwarder`,
    },
    parent,
  );
  const routes = origin.network.through(forwarder.interfaceId);
  const server = edgeMachine(
    originName(name),
    {
      ...{ ...every, groupId: origin.firewall.groupId, label: originLabel(name) },
      ...{ subnet: origin.network.subnet, port: origin.network.port, data: volume(0) },
      reachable: [...network.ready, ...origin.network.ready, ...origin.firewall.rules, ...routes],
      profile: origin.identity.profile,
      bootsAfter: [...bootsAfter(origin.identity), origin.awaitEdge(forwarder, routes)],
      replaceWith,
    },
    parent,
  );
  return { machines: [forwarder, server], replaceWith };
}
