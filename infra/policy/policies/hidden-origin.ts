import type { PolicyResource } from "@pulumi/policy";
import { hiddenSubnets, interfaceOf, names } from "../forwarding.ts";
import { isUnknown, known } from "../known.ts";
import { about, type EdgePolicy, TYPE } from "../policy.ts";

const FAMILIES = [
  ["destinationCidrBlock", "0.0.0.0/0"],
  ["destinationIpv6CidrBlock", "::/0"],
] as const;

/** Ways to the internet that are not an interface of the stack. */
const WAYS_AROUND = ["gatewayId", "egressOnlyGatewayId", "natGatewayId", "transitGatewayId"] as const;

/** Whether a property has a value, which a preview may not know yet. */
const has = (one: PolicyResource, property: string) =>
  (one.propertyDependencies[property]?.length ?? 0) > 0 || Boolean(known(() => one.props[property]));

function problemsOf(subnet: PolicyResource, routes: PolicyResource[]): string[] {
  const problems: string[] = [];
  for (const route of routes) {
    const around = WAYS_AROUND.find((way) => has(route, way));
    if (around) problems.push(`the route ${route.name} leads around the edge (${around})`);
  }
  for (const [property, everywhere] of FAMILIES)
    if (
      !routes.some((route) => isUnknown(() => route.props[property]) || route.props[property] === everywhere)
    )
      problems.push(`${subnet.name} has no route for ${everywhere} to the edge`);
  if (known(() => subnet.props.mapPublicIpOnLaunch) === true)
    problems.push(`${subnet.name} gives public addresses (mapPublicIpOnLaunch)`);
  return problems;
}

/** How a machine behind the edge got an address that the internet reaches. */
function publicAddressOf(instance: PolicyResource, port: PolicyResource | undefined, all: PolicyResource[]) {
  if (known(() => instance.props.associatePublicIpAddress) === true) return "associatePublicIpAddress";
  const addresses = all.filter(({ type }) => type === TYPE.eip || type === TYPE.eipAssociation);
  return addresses.find((address) =>
    [
      ...["instance", "instanceId"].map((property) => names(address, property, instance)),
      ...["networkInterface", "networkInterfaceId"].map((property) => port && names(address, property, port)),
    ].some(Boolean),
  )?.name;
}

export const hiddenOrigin: EdgePolicy = () => ({
  ...about({
    name: "hidden-origin",
    severity: "critical",
    description:
      "What is behind an edge that forwards packets (edge: passthrough) has no public address and no other way to the internet, over IPv4 and IPv6.",
    reason:
      "the origin accepts port 443 from every address, since it sees those of clients. Only its routes keep the limits of the edge in front of it.",
    fix: "Leave the origin's subnet without Elastic IPs and gateways, and give it both default routes (infra/aws/passthrough.ts).",
  }),
  validateStack: ({ resources }, report) => {
    for (const { subnet, routes } of hiddenSubnets(resources)) {
      for (const problem of problemsOf(subnet, routes)) report(problem, subnet.urn);
      for (const instance of resources.filter(({ type }) => type === TYPE.instance)) {
        const port = interfaceOf(instance, resources);
        if (!names(port ?? instance, "subnetId", subnet)) continue;
        const address = publicAddressOf(instance, port, resources);
        if (address) report(`${instance.name} has a public address (${address})`, instance.urn);
      }
    }
  },
});
