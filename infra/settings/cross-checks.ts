import { isNamedAcme, isValidatedByAll, LETSENCRYPT_PROFILES, machinesOf } from "../aws/acme.ts";
import { ingressQuota } from "../aws/firewall-rules.ts";
import { architectureOf } from "../instance-types.ts";
import type { Commands, Path } from "./errors.ts";
import { defaultOf } from "./meta.ts";
import { aws } from "./schema-aws.ts";
import type { AwsSettings } from "./schemas.ts";

/** What is wrong between settings, with the command that fixes it. */
export interface Contradiction {
  /** Which settings, and what of them. */
  text: string;
  fix: string;
}

const parent = (domain: string) => domain.split(".").slice(1).join(".");

/** What lies between the settings of a stack in AWS: what would be refused half-way by AWS, by a policy, or by the machine. Pure. */
export function awsContradictions(
  settings: AwsSettings,
  commands: Commands,
  given: readonly string[],
): Contradiction[] {
  const { domain, zone, instanceType, architecture, vpcId, subnetIds, machines, acme } = settings;
  const found: Contradiction[] = [];
  const add = (when: unknown, text: string, key: string, value?: unknown) => {
    if (when) found.push({ text, fix: commands.set([key] as Path, value) });
  };
  const passes = settings.edge === "passthrough";
  add(
    passes && machines > 1,
    `edge is passthrough, which is one edge with one origin, and machines is ${machines}`,
    "machines",
    1,
  );
  if (passes && vpcId)
    found.push({
      text: `edge is passthrough, which has routes of its own, and vpcId names an existing VPC`,
      fix: `${commands.remove(["vpcId"])} and ${commands.remove(["subnetIds"])}; or ${commands.set(["edge"], "terminate")}`,
    });
  // By value: the engine gives each stack the defaults of Pulumi.yaml.
  for (const key of ["acmeProfile", "acmeChallenge"] as const)
    if (passes && settings[key] !== defaultOf(aws[key]))
      found.push({
        text: `${key} is for certbot, and with edge: passthrough Caddy gets the certificate on the origin`,
        fix: commands.remove([key] as Path),
      });
  const inZone = domain === zone || domain.endsWith(`.${zone}`);
  add(zone && !inZone, `zone ${zone} does not hold the domain ${domain}`, "zone", parent(domain));
  add(
    settings.hostedZone === "create" && !zone,
    "hostedZone is create and zone names none",
    "zone",
    parent(domain),
  );
  const ofType = architectureOf(instanceType);
  add(
    ofType !== architecture,
    `instanceType ${instanceType} is ${ofType} and architecture is ${architecture}`,
    "architecture",
    ofType,
  );
  add(vpcId && subnetIds.length === 0, "vpcId needs subnetIds", "subnetIds");
  add(!vpcId && subnetIds.length > 0, "subnetIds needs vpcId", "vpcId");
  found.push(...quotaContradictions(settings, commands));
  found.push(...acmeContradictions(settings, commands));
  add(
    machines > 1 && settings.snapshotId,
    "snapshotId is the data of one machine, and machines is more than one",
    "machines",
    1,
  );
  if (given.includes("caaIssuer") && isNamedAcme(acme))
    found.push({
      text: `caaIssuer is for an ACME server given by its URL, and acme is ${acme}`,
      fix: commands.remove(["caaIssuer"]),
    });
  add(
    zone && settings.caaIssuer === "",
    `caaIssuer must be set: zone is ${zone}, and the name of the authority behind ${acme} in CAA records is unknown (policy zone-records)`,
    "caaIssuer",
  );
  add(
    settings.acmeCa && !acme.startsWith("https:"),
    "acmeCa is for an ACME server of your own",
    "acme",
    "https://acme.example.com/directory",
  );
  return found;
}

/** What an ACME server would refuse, again and again, after the stack has been made. */
function acmeContradictions(settings: AwsSettings, commands: Commands): Contradiction[] {
  const { domain, zone, machines, acme, acmeProfile, acmeChallenge } = settings;
  const found: Contradiction[] = [];
  const add = (when: unknown, text: string, key: string, value?: unknown) => {
    if (when) found.push({ text, fix: commands.set([key] as Path, value) });
  };
  add(
    machines > 1 && isValidatedByAll(settings),
    `machines is ${machines} and acme is ${acme}. Its validation requests may reach a machine that did not ask for the certificate, so no machine gets one. Use dns-01, one machine, or an ACME server of your own (mcp-edge:acme: https://…)`,
    "acmeChallenge",
    "dns-01",
  );
  const most = machinesOf(acme, acmeProfile);
  add(
    acmeChallenge === "dns-01" && machines > most,
    `machines is ${machines}, each with its own certificate, and Let's Encrypt issues five a week for the same names${acmeProfile === "shortlived" ? "; those of the profile shortlived are renewed twice a week" : ""}`,
    "machines",
    most,
  );
  add(
    acmeChallenge === "dns-01" && !zone,
    "acmeChallenge is dns-01, and zone names no Route 53 zone in which the machine could make its record",
    "zone",
    parent(domain),
  );
  add(
    isNamedAcme(acme) && acmeProfile && !LETSENCRYPT_PROFILES.includes(acmeProfile),
    `acmeProfile is ${acmeProfile}, and Let's Encrypt has ${LETSENCRYPT_PROFILES.join(", ")}`,
    "acmeProfile",
    "shortlived",
  );
  return found;
}

/** What an account refuses after half of the stack has been made. */
function quotaContradictions(settings: AwsSettings, commands: Commands): Contradiction[] {
  const { machines, elasticIpQuota, allowedCidrs, ruleQuota } = settings;
  const found: Contradiction[] = [];
  const more = (key: string, value: number) =>
    `ask for more in Service Quotas, then: ${commands.set([key] as Path, value)}`;
  if (machines > elasticIpQuota)
    found.push({
      text: `machines is ${machines}, and the account may have ${elasticIpQuota} Elastic IP addresses in a region`,
      fix: `${commands.set(["machines"], elasticIpQuota)}; or ${more("elasticIpQuota", machines)}`,
    });
  const groups = [settings.shell === "endpoint", settings.edge === "passthrough"].filter(Boolean).length;
  const rules = ingressQuota(allowedCidrs, isValidatedByAll(settings), groups);
  if (rules > ruleQuota)
    found.push({
      text: `allowedCidrs has ${allowedCidrs.length} ranges, which take ${rules} rules of one address family, and a security group takes ${ruleQuota}`,
      fix: `join neighbouring ranges into wider ones, or ${more("ruleQuota", rules)}`,
    });
  return found;
}
