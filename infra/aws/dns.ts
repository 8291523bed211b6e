import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { dnsRecords, TTL, zoneLine } from "./records.ts";
import { named, type Tags } from "./tags.ts";

export interface DnsArgs {
  stack: string;
  domain: string;
  email: string;
  /** Domain of the certificate authority; "": no CAA record. */
  caaIssuer: string;
  ipv4: pulumi.Output<string>[];
  ipv6: pulumi.Output<string>[];
  /** Name of the zone; "": none, the records are printed. */
  zone: string;
  hostedZone: "lookup" | "create";
  protect: boolean;
  /** Route 53 takes ten: those of the program alone. */
  tags: Tags;
}

/**
 * The domain's records in Route 53, in a zone that is looked up or made; without a zone, the text of the records to make.
 *
 * ### Cost
 * A zone of its own 0.50 USD a month; a million queries 0.40 USD.
 */
export class Dns extends pulumi.ComponentResource {
  /** The records as lines of a zone file. */
  readonly records: pulumi.Output<string[]>;
  /** Name servers of a zone that was made here: to be entered at the registrar. */
  readonly nameServers: pulumi.Output<string[]> | undefined;

  constructor(name: string, args: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Dns", name, {}, opts);
    const { stack, domain, email, caaIssuer } = args;
    const all = pulumi
      .all([pulumi.all(args.ipv4), pulumi.all(args.ipv6)])
      .apply(([ipv4, ipv6]) => dnsRecords({ domain, email, caaIssuer, ipv4, ipv6 }));
    this.records = all.apply((list) =>
      list.flatMap((record) => record.values.map((value) => zoneLine(record, value))),
    );
    if (!args.zone && !pulumi.runtime.isDryRun()) {
      // Said as soon as the addresses are known, before the machine is there: it can then have its certificate at the first try.
      this.records.apply((lines) =>
        pulumi.log.info(`Make these records in the zone of ${domain}:\n${lines.join("\n")}`, this),
      );
    }
    if (args.zone) {
      const zone = this.#zone(args);
      this.nameServers = args.hostedZone === "create" ? zone.nameServers : undefined;
      if (!pulumi.runtime.isDryRun())
        this.nameServers?.apply((servers) =>
          pulumi.log.info(
            `Name servers of the new zone ${args.zone}, for its registrar: ${servers.join(", ")}`,
            this,
          ),
        );
      const types = ["A", "AAAA", "HTTPS", ...(caaIssuer ? ["CAA"] : [])] as const;
      for (const type of types) {
        new aws.route53.Record(
          `${stack}-record-${type}`,
          {
            zoneId: zone.zoneId,
            name: domain,
            type,
            ttl: TTL,
            records: all.apply((list) => list.find((record) => record.type === type)?.values ?? []),
          },
          { parent: this },
        );
      }
    }
    this.registerOutputs({ records: this.records });
  }

  #zone({ stack, zone: name, hostedZone, protect, tags }: DnsArgs) {
    if (hostedZone === "lookup")
      return aws.route53.getZoneOutput({ name, privateZone: false }, { parent: this });
    return new aws.route53.Zone(
      `${stack}-zone`,
      { name, comment: `mcp-edge ${stack}`, tags: named(tags, name) },
      { parent: this, protect },
    );
  }
}
