import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { dnsRecords, TTL, zoneLine } from "./records.ts";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface DnsArgs {
  domain: string;
  /** A second host name of the machines. "": none. */
  tokenDomain: string;
  email: string;
  /** Domain of the certificate authority; "": no CAA record. */
  caaIssuer: string;
  acmeChallenge: string;
  /** Name of the zone; "": none, the records are printed. */
  zone: string;
  hostedZone: "lookup" | "create";
  protect: boolean;
  /** Ten at most. */
  tags: Tags;
  transform?:
    | { zone?: Transform<aws.route53.ZoneArgs>; record?: Transform<aws.route53.RecordArgs> }
    | undefined;
}

/**
 * The records of the host names in Route 53, in a zone that is looked up or created. Without a zone, the text of the records to create.
 *
 * ### Cost
 * 0.50 USD a month for a zone of its own, 0.40 USD for a million queries.
 */
export class Dns extends pulumi.ComponentResource {
  /** Id of the zone; "": none. */
  readonly zoneId: pulumi.Output<string>;
  /** Name servers of a zone that was created here. Enter them at the registrar. */
  readonly nameServers: pulumi.Output<string[]> | undefined;
  readonly #name: string;
  readonly #args: DnsArgs;

  constructor(name: string, args: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Dns", name, {}, opts);
    this.#name = name;
    this.#args = args;
    const zone = args.zone ? this.#zone(name, args) : undefined;
    this.zoneId = pulumi.output(zone?.zoneId ?? "");
    this.nameServers = args.hostedZone === "create" ? zone?.nameServers : undefined;
    if (!pulumi.runtime.isDryRun())
      this.nameServers?.apply((servers) =>
        pulumi.log.info(
          `Name servers of the new zone ${args.zone}, for its registrar: ${servers.join(", ")}`,
          this,
        ),
      );
    this.registerOutputs({ zoneId: this.zoneId, nameServers: this.nameServers });
  }

  /**
   * Creates the records, once the addresses are known.
   * @returns the records as lines of a zone file
   */
  point(ipv4: pulumi.Input<string>[], ipv6: pulumi.Input<string>[]): pulumi.Output<string[]> {
    const { domain, tokenDomain, email, caaIssuer, acmeChallenge, transform } = this.#args;
    const names = tokenDomain ? [domain, tokenDomain] : [domain];
    const all = pulumi
      .all([pulumi.all(ipv4), pulumi.all(ipv6)])
      .apply(([ipv4, ipv6]) => dnsRecords({ names, email, caaIssuer, acmeChallenge, ipv4, ipv6 }));
    const lines = all.apply((list) =>
      list.flatMap((record) => record.values.map((value) => zoneLine(record, value))),
    );
    if (!this.#args.zone) {
      // Logged as soon as the addresses are known, before the machine exists, so that its first attempt at a certificate can succeed.
      if (!pulumi.runtime.isDryRun())
        lines.apply((lines) =>
          pulumi.log.info(`Create these records in the zone of ${domain}:\n${lines.join("\n")}`, this),
        );
      return lines;
    }
    const types = ["A", "AAAA", "HTTPS", ...(caaIssuer ? ["CAA"] : [])] as const;
    for (const host of names) {
      for (const type of types) {
        const values = all.apply(
          (list) => list.find((one) => one.name === host && one.type === type)?.values,
        );
        new aws.route53.Record(
          ...transformed<aws.route53.RecordArgs>(
            transform?.record,
            `${this.#name}-${host === domain ? "" : "token-"}record-${type}`,
            {
              zoneId: this.zoneId,
              name: host,
              type,
              ttl: TTL,
              records: values.apply((list) => list ?? []),
            },
            { parent: this },
          ),
        );
      }
    }
    return lines;
  }

  #zone(name: string, args: DnsArgs) {
    const { zone, hostedZone, protect, tags } = args;
    if (hostedZone === "lookup")
      return aws.route53.getZoneOutput({ name: zone, privateZone: false }, { parent: this });
    return new aws.route53.Zone(
      ...transformed<aws.route53.ZoneArgs>(
        args.transform?.zone,
        `${name}-zone`,
        { name: zone, comment: name.replace(/^mcp-edge-/, "mcp-edge "), tags: named(tags, zone) },
        { parent: this, protect },
      ),
    );
  }
}
