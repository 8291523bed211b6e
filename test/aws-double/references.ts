import { ApiError, type Kind, type Reference } from "./kind.ts";
import { kinds } from "./kinds.ts";
import type { Store, Stored } from "./store.ts";
import type { Props } from "./values.ts";

/** The errors of EC2, IAM and the others for an unknown id. */
const NOT_FOUND: Record<string, string> = {
  "aws:ec2/vpc:Vpc": "InvalidVpcID.NotFound",
  "aws:ec2/subnet:Subnet": "InvalidSubnetID.NotFound",
  "aws:ec2/securityGroup:SecurityGroup": "InvalidGroup.NotFound",
  "aws:ec2/internetGateway:InternetGateway": "InvalidInternetGatewayID.NotFound",
  "aws:ec2/routeTable:RouteTable": "InvalidRouteTableID.NotFound",
  "aws:ec2/instance:Instance": "InvalidInstanceID.NotFound",
  "aws:ec2/networkInterface:NetworkInterface": "InvalidNetworkInterfaceID.NotFound",
  "aws:ebs/volume:Volume": "InvalidVolume.NotFound",
  "aws:ec2/eip:Eip": "InvalidAllocationID.NotFound",
  "aws:iam/role:Role": "NoSuchEntity",
  "aws:iam/policy:Policy": "NoSuchEntity",
  "aws:iam/instanceProfile:InstanceProfile": "InvalidParameterValue",
  "aws:s3/bucket:Bucket": "NoSuchBucket",
  "aws:route53/zone:Zone": "NoSuchHostedZone",
  "aws:route53/healthCheck:HealthCheck": "NoSuchHealthCheck",
  "aws:sns/topic:Topic": "NotFound",
};

const values = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter(
    (one): one is string => typeof one === "string" && one !== "",
  );

/** The ids that an input names. A policy of AWS itself is always there. */
const idsIn = (inputs: Props, key: string, reference: Reference) =>
  values(inputs[key])
    .filter((value) => !/^arn:aws[\w-]*:iam::aws:/.test(value))
    .map(reference.id ?? ((value) => value));

/** @throws ApiError when an input names a missing resource. */
export function mustExist(kind: Kind, inputs: Props, store: Store): void {
  for (const [key, reference] of Object.entries(kind.references ?? {})) {
    for (const id of idsIn(inputs, key, reference)) {
      if (store.get(reference.token, id)) continue;
      const code = NOT_FOUND[reference.token] ?? "NotFound";
      throw new ApiError(code, `The ID '${id}' does not exist (${key} of ${kind.token}).`);
    }
  }
}

function uses(stored: Stored, token: string, id: string): string | undefined {
  const references = Object.entries(kinds.get(stored.token)?.references ?? {});
  return references.find(
    ([key, reference]) =>
      reference.token === token &&
      reference.weak !== true &&
      idsIn(stored.inputs, key, reference).includes(id),
  )?.[0];
}

/** @throws ApiError when another resource still needs it, as after a wrong order of deletion. */
export function mustNotBeUsed(kind: Kind, id: string, store: Store): void {
  for (const stored of store.all()) {
    const key = uses(stored, kind.token, id);
    if (key && !(stored.token === kind.token && stored.id === id)) {
      const code = kind.token.startsWith("aws:iam/") ? "DeleteConflict" : "DependencyViolation";
      throw new ApiError(code, `${id} has a dependent object: ${stored.token} ${stored.id} (${key}).`);
    }
  }
}
