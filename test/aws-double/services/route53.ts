import { isIPv4, isIPv6 } from "node:net";
import { type Account, ApiError, type Kind, newId, shortHash, tagsAll } from "../kind.ts";
import { oneOf, patterns, ranges } from "../limits.ts";
import { objects, type Props, text, texts } from "../values.ts";

/** Route 53 (developer guide, "DNS name format", "Supported DNS record types"; API reference). */

export const ZONE = "aws:route53/zone:Zone";
export const RECORD = "aws:route53/record:Record";

const bare = (name: string) => name.replace(/\.$/, "").toLowerCase();

export const zone: Kind = {
  token: ZONE,
  replaces: ["name", "delegationSetId"],
  // ChangeTagsForResource (Route 53 API reference).
  tagRules: { most: 10 },
  check: (inputs) =>
    patterns(inputs, {
      name: [/^([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z0-9-]+\.?$/, "a domain name"],
      comment: [/^[\s\S]{0,256}$/, "at most 256 characters"],
    }),
  make: (inputs, aws) => {
    const id = `Z${shortHash(newId("zone"), 19).toUpperCase()}`;
    const nameServers = [1, 2, 3, 4].map(
      (n) => `ns-${n * 100}.awsdns-0${n}.${["com", "net", "org", "co.uk"][n - 1]}`,
    );
    const outs = {
      arn: `arn:${aws.partition}:route53:::hostedzone/${id}`,
      zoneId: id,
      nameServers,
      primaryNameServer: nameServers[0],
      comment: "Managed by Pulumi",
      forceDestroy: false,
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
  remove: ({ id, inputs }, { store }) => {
    const left = store.all(RECORD).filter(({ inputs: one }) => one.zoneId === id);
    if (left.length > 0 && inputs.forceDestroy !== true) {
      throw new ApiError(
        "HostedZoneNotEmpty",
        `The specified hosted zone contains records, e.g. ${left[0]?.id}.`,
      );
    }
  },
};

const TYPES = "A AAAA CAA CNAME DS HTTPS MX NAPTR NS PTR SOA SPF SRV SSHFP SVCB TLSA TXT".split(" ");

const VALUES: Record<string, [(value: string) => boolean, string]> = {
  A: [isIPv4, "an IPv4 address"],
  AAAA: [isIPv6, "an IPv6 address"],
  CAA: [(value) => /^(0|128) (issue|issuewild|iodef) "[^"]*"$/.test(value), '0 issue "ca.example"'],
  HTTPS: [
    (value) =>
      /^\d+ (\.|[\w.-]+)( (alpn="?[\w,./-]+"?|port="?\d+"?|no-default-alpn|ipv4hint="?[\d.,]+"?|ipv6hint="?[\da-f:,]+"?|mandatory="?[\w,-]+"?|key\d+(="?[^" ]*"?)?))*$/.test(
        value,
      ),
    'priority, target and parameters, such as 1 . alpn="h3,h2"',
  ],
  TXT: [(value) => value.length <= 4000, "at most 4000 characters"],
};

function recordProblems(inputs: Props): [string, string][] {
  const found = [...oneOf(inputs, { type: TYPES }), ...ranges(inputs, { ttl: [0, 2_147_483_647] })];
  const [fits, what] = VALUES[text(inputs, "type")] ?? [() => true, ""];
  const values = texts(inputs, "records");
  for (const value of values) if (!fits(value)) found.push(["records", `"${value}" must be ${what}`]);
  if (new Set(values).size < values.length) found.push(["records", "a value is there twice"]);
  const alias = objects(inputs, "aliases").length > 0;
  if (alias && (inputs.ttl !== undefined || values.length > 0))
    found.push(["aliases", "an alias has neither ttl nor records"]);
  return found;
}

/** The whole name: the provider appends the zone's when it is not there. */
function fqdn(inputs: Props, aws: Account): string {
  const name = bare(text(inputs, "name"));
  const apex = bare(text(aws.store.get(ZONE, text(inputs, "zoneId"))?.inputs ?? {}, "name"));
  if (name === "" || name === apex || name.endsWith(`.${apex}`)) return name || apex;
  return `${name}.${apex}`;
}

export const record: Kind = {
  token: RECORD,
  replaces: ["zoneId", "name", "type", "setIdentifier"],
  references: {
    zoneId: { token: ZONE, weak: true },
    healthCheckId: { token: "aws:route53/healthCheck:HealthCheck" },
  },
  check: recordProblems,
  make: (inputs, aws) => {
    if (objects(inputs, "aliases").length === 0 && (inputs.ttl === undefined || !inputs.records))
      throw new ApiError("InvalidInput", "A record without alias needs ttl and records.");
    const name = fqdn(inputs, aws);
    const twins = aws.store.all(RECORD).filter((one) => one.outs.fqdn === name);
    const types = twins.filter((one) => !inputs.setIdentifier && one.inputs.zoneId === inputs.zoneId);
    if (types.some((one) => one.inputs.type === inputs.type) && inputs.allowOverwrite !== true) {
      throw new ApiError(
        "InvalidChangeBatch",
        `[Tried to create resource record set [name='${name}.', type='${inputs.type}'] but it already exists]`,
      );
    }
    if (types.some((one) => (one.inputs.type === "CNAME") !== (inputs.type === "CNAME")))
      throw new ApiError(
        "InvalidChangeBatch",
        `CNAME and other records cannot be beside each other at ${name}.`,
      );
    const set = inputs.setIdentifier ? `_${inputs.setIdentifier}` : "";
    return { id: `${inputs.zoneId}_${name}_${inputs.type}${set}`, outs: { fqdn: name } };
  },
  converges: ["dns"],
};

export const healthCheck: Kind = {
  token: "aws:route53/healthCheck:HealthCheck",
  replaces: ["type", "requestInterval", "measureLatency", "referenceName"],
  // ChangeTagsForResource (Route 53 API reference).
  tagRules: { most: 10 },
  check: (inputs) => [
    ...oneOf(inputs, {
      type: [
        "HTTP",
        "HTTPS",
        "HTTP_STR_MATCH",
        "HTTPS_STR_MATCH",
        "TCP",
        "CALCULATED",
        "CLOUDWATCH_METRIC",
        "RECOVERY_CONTROL",
      ],
      requestInterval: [10, 30],
    }),
    ...ranges(inputs, { failureThreshold: [1, 10], port: [1, 65_535] }),
    ...patterns(inputs, { resourcePath: [/^\/?[\s\S]{0,254}$/, "at most 255 characters"] }),
    ...(Array.isArray(inputs.regions) && inputs.regions.length < 3
      ? [["regions", "at least three regions are needed"] as [string, string]]
      : []),
  ],
  make: (inputs, aws) => {
    if (/^(HTTP|TCP)/.test(text(inputs, "type")) && !inputs.fqdn && !inputs.ipAddress)
      throw new ApiError("InvalidInput", "A check of an endpoint needs fqdn or ipAddress.");
    const hex = shortHash(newId("check"), 32);
    const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    return {
      id,
      outs: { arn: `arn:${aws.partition}:route53:::healthcheck/${id}`, disabled: false, ...tagsAll(inputs) },
    };
  },
  change: (_before, inputs) => tagsAll(inputs),
};
