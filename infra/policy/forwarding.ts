import type { PolicyResource } from "@pulumi/policy";
import { isUnknown, known, refersTo } from "./known.ts";
import { TYPE } from "./policy.ts";

/**
 * The parts of a network behind an edge that forwards packets (infra/aws/passthrough.ts), as the resources alone show them: which of them
 * the program meant is not asked.
 */

const all = (resources: PolicyResource[], type: string) => resources.filter((one) => one.type === type);

/** Whether one property of a resource names another resource. An unknown value without a dependency names none. */
export const names = (from: PolicyResource, property: string, to: PolicyResource, read?: () => unknown) =>
  known(() => refersTo(from, property, to, ["id"], read as () => string)) ?? false;

/** The routes that lead to a network interface. */
export const detours = (resources: PolicyResource[]): PolicyResource[] =>
  all(resources, TYPE.route).filter(
    (route) =>
      (route.propertyDependencies.networkInterfaceId?.length ?? 0) > 0 ||
      Boolean(known(() => route.props.networkInterfaceId)),
  );

/** Whether a network interface, or an instance by itself, passes on the packets of others. */
export const forwards = (one: PolicyResource): boolean => known(() => one.props.sourceDestCheck) === false;

/** Whether EC2 is known to drop what a network interface passes on. */
export const isChecked = (one: PolicyResource): boolean =>
  !isUnknown(() => one.props.sourceDestCheck) && !forwards(one);

/** Network interfaces and instances. */
export const endpoints = (resources: PolicyResource[]): PolicyResource[] =>
  [TYPE.networkInterface, TYPE.instance].flatMap((type) => all(resources, type));

/** The interface of an instance; undefined: EC2 makes one for it. */
export const interfaceOf = (
  instance: PolicyResource,
  resources: PolicyResource[],
): PolicyResource | undefined =>
  all(resources, TYPE.networkInterface).find((port) =>
    names(
      instance,
      "primaryNetworkInterface",
      port,
      () => instance.props.primaryNetworkInterface?.networkInterfaceId,
    ),
  );

/** A subnet whose packets go through a network interface, with the routes of its table. */
export interface HiddenSubnet {
  subnet: PolicyResource;
  routes: PolicyResource[];
}

export function hiddenSubnets(resources: PolicyResource[]): HiddenSubnet[] {
  const routes = all(resources, TYPE.route);
  const ways = detours(resources);
  const sameTable = (route: PolicyResource, association: PolicyResource) => {
    const [one, other] = [route, association].map(
      (from) => from.propertyDependencies.routeTableId?.[0]?.urn ?? known(() => from.props.routeTableId),
    );
    return one !== undefined && one === other;
  };
  return all(resources, TYPE.routeTableAssociation).flatMap((association) => {
    const own = routes.filter((route) => sameTable(route, association));
    if (!own.some((route) => ways.includes(route))) return [];
    return all(resources, TYPE.subnet)
      .filter((subnet) => names(association, "subnetId", subnet))
      .map((subnet) => ({ subnet, routes: own }));
  });
}
