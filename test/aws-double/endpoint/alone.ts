import { machinePolicy } from "../../../infra/aws/identity-policy.ts";
import { accountOf } from "../account.ts";
import { names } from "../machine/dns.ts";
import { PROFILE, ROLE_POLICY } from "../services/iam.ts";
import { INSTANCE } from "../services/instances.ts";
import { ZONE } from "../services/route53.ts";
import { apiServer } from "./api.ts";
import { MetadataService } from "./metadata.ts";

/**
 * The endpoint and the metadata service for one network namespace, without the cloud: two instances, 127.0.0.1 and 127.0.0.2,
 * with the policy of the project's machines, and a zone. Its records go to the DNS server of Pebble in the same namespace.
 *
 * Environment: AWS_DOUBLE_HOME, DOMAIN, ZONE_NAME. Ports: 8000 (requests), 8001 (metadata).
 */
const aws = accountOf(process.env);
const { DOMAIN = "", ZONE_NAME = "" } = process.env;
const challengeZone = "Z0123456789DOUBLE";
const policy = machinePolicy({
  ...{ parameterPath: "/mcp-edge/prod/env", region: aws.region, accountId: aws.account, logGroupArn: "" },
  ...{ bucketArn: "arn:aws:s3:::mcp-edge-prod", metrics: false, challengeZone, names: [DOMAIN] },
});
const put = (token: string, id: string, inputs: object, outs = {}) =>
  aws.store.put({ token, id, inputs: { ...inputs }, outs });
put(ZONE, challengeZone, { name: ZONE_NAME });
put(ROLE_POLICY, "role", { role: "role", policy: JSON.stringify(policy) });
put(PROFILE, "profile", { role: "role" });
for (const number of [1, 2])
  put(
    INSTANCE,
    `i-0000000000000000${number}`,
    { iamInstanceProfile: "profile" },
    { privateIp: `127.0.0.${number}` },
  );

const told = new Set<string>();
async function converge(): Promise<void> {
  const now = names(aws.store);
  for (const name of new Set([...told, ...Object.keys(now)])) {
    told.add(name);
    const calls: [string, object][] = [["clear-txt", { host: `${name}.` }]];
    for (const value of now[name]?.TXT ?? []) calls.push(["set-txt", { host: `${name}.`, value }]);
    for (const [path, body] of calls)
      await fetch(`http://127.0.0.1:8055/${path}`, { method: "POST", body: JSON.stringify(body) });
  }
}

await new MetadataService(aws).listen("0.0.0.0", 8001);
apiServer(aws, () => {}, converge).listen(8000, "127.0.0.1");
