import { ListHostedZonesByNameCommand, ListResourceRecordSetsCommand } from "@aws-sdk/client-route-53";
import { caaAllows } from "../../../../infra/aws/records.ts";
import { CheckFailure } from "../../check.ts";
import type { AwsCheck } from "../check.ts";

/** The hosted zone of the domain, which records the domain has there, and that its CAA record allows the machine's certificate. */
export const zone: AwsCheck = {
  id: "zone",
  title: "Route 53 zone",
  about: "account",
  tried: ({ settings }) =>
    settings.zone ? `route53:ListHostedZonesByName ${settings.zone}` : "no zone in the settings",
  async run({ aws: { route53 }, settings: { stack, zone, domain, hostedZone, caaIssuer, acmeChallenge } }) {
    if (!zone) return "none: the records are made by hand (output `records`)";
    const { HostedZones: [found] = [] } = await route53.send(
      new ListHostedZonesByNameCommand({ DNSName: zone, MaxItems: 1 }),
    );
    // The list begins at the name; the first zone may be another's.
    if (found?.Name !== `${zone}.`) {
      if (hostedZone === "create") return `${zone} does not exist yet: \`up\` makes it`;
      throw new CheckFailure(`the account has no zone ${zone}`);
    }
    const { ResourceRecordSets = [] } = await route53.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: found.Id, StartRecordName: domain, MaxItems: 20 }),
    );
    const sets = ResourceRecordSets.filter(({ Name }) => Name === `${domain}.`);
    const caa =
      sets.find(({ Type }) => Type === "CAA")?.ResourceRecords?.map(({ Value = "" }) => Value) ?? [];
    if (caaIssuer && !caaAllows(caa, caaIssuer, acmeChallenge))
      throw new CheckFailure(
        `the CAA record of ${domain} forbids ${caaIssuer} to issue by ${acmeChallenge}: ${caa.join(", ")}`,
        `Put the program's own record back: pulumi up --refresh --stack ${stack}; or see the settings acme, acmeChallenge and caaIssuer`,
      );
    const types = sets.map(({ Type }) => Type);
    return types.length > 0 ? `${domain} has ${types.sort().join(", ")}` : `${domain} has no record yet`;
  },
  fix: ({ settings }) =>
    `Make the zone: pulumi config set mcp-edge:hostedZone create --stack ${settings.stack}; or name another in mcp-edge:zone`,
};
