import type * as pulumi from "@pulumi/pulumi";
import { Firewall, type FirewallArgs } from "./firewall.ts";
import { originLabel, originName } from "./machine-names.ts";
import type { Network, Subnet } from "./network.ts";
import { Passthrough, type PassthroughArgs } from "./passthrough.ts";

/** What the machine behind an edge that forwards packets has of its own, before there are machines. */
export interface OriginNetwork {
  firewall: Firewall;
  network: Passthrough;
}

/**
 * @param edge the edge's own network and firewall
 * @param rules for the origin the same as for the edge: it sees the addresses of clients
 * @throws Error for an existing VPC, whose routes belong to somebody else
 */
export function originNetwork(
  name: string,
  edge: { network: Network; firewall: Firewall; region: string },
  rules: Omit<FirewallArgs, "group" | "transform"> & Pick<FirewallArgs & PassthroughArgs, "transform">,
  parent: pulumi.Resource,
): OriginNetwork {
  const { own } = edge.network;
  if (!own) throw new Error("mcp-edge:edge is passthrough, which needs a VPC of its own; leave out vpcId");
  const group = {
    suffix: "group",
    description: "mcp-edge: HTTP/3, HTTP/2 and HTTP/1.1 through the edge",
  };
  const firewall = new Firewall(originName(name), { ...rules, group }, { parent });
  const network = new Passthrough(
    originName(name),
    {
      ...{ label: originLabel(name), region: edge.region, vpcId: rules.vpcId, own },
      zone: (edge.network.subnets[0] as Subnet).zone,
      edgeGroupId: edge.firewall.groupId,
      originGroupId: firewall.groupId,
      ...{ tags: rules.tags, transform: rules.transform },
    },
    { parent },
  );
  return { firewall, network };
}
