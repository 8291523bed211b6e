import type { PolicyPackArgs } from "@pulumi/policy";
import type { PolicyContext } from "./context.ts";
import { edgeWithoutSecrets } from "./policies/edge-without-secrets.ts";
import { encryptedVolumes } from "./policies/encrypted-volumes.ts";
import { forwardingEdge } from "./policies/forwarding-edge.ts";
import { guardedBucket } from "./policies/guarded-bucket.ts";
import { hiddenOrigin } from "./policies/hidden-origin.ts";
import { httpsTwins } from "./policies/https-twins.ts";
import { imdsV2 } from "./policies/imdsv2.ts";
import { instanceTypes } from "./policies/instance-types.ts";
import { machineAlarms } from "./policies/machine-alarms.ts";
import { noStarAction } from "./policies/no-star-action.ts";
import { noStarWrite } from "./policies/no-star-write.ts";
import { openPorts } from "./policies/open-ports.ts";
import { privateBucket } from "./policies/private-bucket.ts";
import { prodProtected } from "./policies/prod-protected.ts";
import { recordTtls } from "./policies/record-ttls.ts";
import { secureParameters } from "./policies/secure-parameters.ts";
import { tags } from "./policies/tags.ts";
import { userDataSecrets } from "./policies/user-data-secrets.ts";
import { userDataSize } from "./policies/user-data-size.ts";
import { zoneRecords } from "./policies/zone-records.ts";
import type { EdgePolicy } from "./policy.ts";

const POLICIES: readonly EdgePolicy[] = [
  openPorts,
  httpsTwins,
  forwardingEdge,
  hiddenOrigin,
  edgeWithoutSecrets,
  imdsV2,
  encryptedVolumes,
  privateBucket,
  guardedBucket,
  noStarAction,
  noStarWrite,
  userDataSecrets,
  userDataSize,
  secureParameters,
  zoneRecords,
  recordTtls,
  prodProtected,
  tags,
  instanceTypes,
  machineAlarms,
];

/** The policy pack for a stack: advisory in dev, so that you can experiment; mandatory in staging and prod. */
export function policyPack(context: PolicyContext): PolicyPackArgs {
  return {
    displayName: "mcp-edge",
    description: "Rules for every mcp-edge environment on AWS",
    provider: "aws",
    enforcementLevel: context.environment === "dev" ? "advisory" : "mandatory",
    policies: POLICIES.map((policy) => policy(context)),
  };
}
