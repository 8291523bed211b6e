import { DescribeRouteTablesCommand, type Instance, type RouteTable } from "@aws-sdk/client-ec2";
import { stackFilters, withKinds } from "../../../aws/stack.ts";
import type { AwsCheck } from "../check.ts";
import { failOn, REFRESH } from "./problems.ts";

const portOf = (machine: Instance | undefined) => machine?.NetworkInterfaces?.[0];

/** The routes of a table beside those within the VPC, by their destinations. */
const routesOf = ({ Routes = [] }: RouteTable) =>
  new Map(
    Routes.filter(({ GatewayId }) => GatewayId !== "local").map((route) => [
      route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId,
      route,
    ]),
  );

/** That packets reach the origin through the edge alone (edge: passthrough). */
export const forwarding: AwsCheck = {
  id: "forwarding",
  title: "Forwarding",
  about: "stack",
  tried: ({ settings }) => `ec2:DescribeRouteTables with the tags of ${settings.stack}`,
  async run({ aws, settings, machines = [] }) {
    const all = withKinds(machines);
    const checked = (machine: Instance) => portOf(machine)?.SourceDestCheck !== false;
    const forwarders = all.filter(({ found, kind }) => kind !== "edge" && !checked(found));
    failOn(forwarders.map(({ found }) => `${found.InstanceId} may send packets with addresses of others`));
    const edge = all.find(({ kind }) => kind === "edge")?.found;
    const origin = all.find(({ kind }) => kind === "origin")?.found;
    if (!edge || !origin) return "none: every machine has public addresses (edge: terminate)";
    const { RouteTables = [] } = await aws.ec2.send(
      new DescribeRouteTablesCommand({ Filters: stackFilters(settings.stack) }),
    );
    const table = RouteTables.find(({ Associations = [] }) =>
      Associations.some(({ SubnetId }) => SubnetId === origin.SubnetId),
    );
    const routes = routesOf(table ?? {});
    const port = portOf(edge)?.NetworkInterfaceId;
    failOn([
      ...(checked(edge) ? [`EC2 drops what ${edge.InstanceId} forwards (source/destination check)`] : []),
      ...(origin.PublicIpAddress ? [`${origin.InstanceId} has the address ${origin.PublicIpAddress}`] : []),
      ...["0.0.0.0/0", "::/0"]
        .filter((range) => routes.get(range)?.NetworkInterfaceId !== port)
        .map((range) => `the route of ${origin.InstanceId} for ${range} does not lead to ${edge.InstanceId}`),
      ...[...routes.values()].flatMap(({ State, DestinationCidrBlock: to }) =>
        State === "blackhole" ? [`the route for ${to ?? "::/0"} leads nowhere (blackhole)`] : [],
      ),
    ]);
    return `${origin.InstanceId} has both default routes through ${edge.InstanceId}, and no public address`;
  },
  fix: () => REFRESH,
};
