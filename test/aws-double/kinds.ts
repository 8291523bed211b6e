import type { Kind } from "./kind.ts";
import { eip, eipAssociation } from "./services/addresses.ts";
import { logGroup, metricAlarm, topic, topicPolicy, topicSubscription } from "./services/cloudwatch.ts";
import { lifecyclePolicy } from "./services/dlm.ts";
import { instanceProfile, policy, role, rolePolicy, rolePolicyAttachment } from "./services/iam.ts";
import { instance, networkInterface } from "./services/instances.ts";
import { healthCheck, record, zone } from "./services/route53.ts";
import { bucket, bucketObject, bucketParts } from "./services/s3.ts";
import { egressRule, ingressRule, securityGroup } from "./services/security-groups.ts";
import { parameter } from "./services/ssm.ts";
import { volume, volumeAttachment } from "./services/volumes.ts";
import {
  connectEndpoint,
  defaultSecurityGroup,
  internetGateway,
  route,
  routeTable,
  routeTableAssociation,
  subnet,
  vpc,
  vpcEndpoint,
} from "./services/vpc.ts";

const all: Kind[] = [
  ...[
    vpc,
    subnet,
    internetGateway,
    routeTable,
    route,
    routeTableAssociation,
    defaultSecurityGroup,
    connectEndpoint,
    vpcEndpoint,
  ],
  ...[securityGroup, ingressRule, egressRule, eip, eipAssociation],
  ...[networkInterface, instance, volume, volumeAttachment, lifecyclePolicy],
  ...[role, rolePolicy, policy, rolePolicyAttachment, instanceProfile],
  ...[bucket, ...bucketParts, bucketObject, parameter],
  ...[zone, record, healthCheck, metricAlarm, logGroup, topic, topicSubscription, topicPolicy],
];

/** Every kind of resource that the double knows, by its token. */
export const kinds: ReadonlyMap<string, Kind> = new Map(all.map((kind) => [kind.token, kind]));
