import * as z from "zod";
import {
  acmeChallenge,
  acmeProfile,
  acmeUrl,
  emailAddress,
  hostName,
  wholeNumber,
} from "../../cloud-init/settings.ts";
import { isNamedAcme, knownIssuer } from "../aws/acme.ts";
import { defaultInstanceType } from "../instance-types.ts";
import { cidr, instanceType, retentionDays, secrets, tags } from "./formats.ts";
import { computed, oneOf, type Shape, setting, text } from "./meta.ts";
import { publicAuth } from "./schema-auth.ts";
import { common } from "./schema-common.ts";

/** An id as EC2 makes them. */
const id = (prefix: string, what: string) =>
  text(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `the id of ${what}, such as ${prefix}-0123456789abcdef0`);

/** Settings of `target: aws`, EC2 instances. */
export const aws = {
  ...common,
  ...publicAuth,
  environment: computed(
    oneOf("dev", "staging", "prod"),
    ({ stack }) => (stack === "staging" || stack === "prod" ? stack : "dev"),
    {
      description: "What the stack is for: a tag, and the default of `protect`, `backups` and `alarms`.",
      fallback: "the stack's name if it is one of these, else `dev`",
      example: "dev",
    },
  ),
  protect: computed(z.boolean("must be true or false"), ({ environment }) => environment === "prod", {
    description: "Guard data volume, addresses, zone and machine against deletion, by the engine and by EC2.",
    fallback: "`true` in prod",
    example: true,
  }),
  machines: setting(wholeNumber(1, 10), 1, {
    description:
      "How many machines, each with its own addresses and data volume. More than one needs `acmeChallenge: dns-01` or an ACME server of your own (`acme`): each has its own certificate.",
  }),
  elasticIpQuota: setting(wholeNumber(1, 1000), 5, {
    description:
      "Elastic IP addresses that your account may have in the region (Service Quotas, L-0263D0A3); each machine takes one.",
  }),
  architecture: setting(oneOf("arm64", "amd64"), "arm64", {
    description: "Processor of machine, image and release. Another one replaces the machine.",
  }),
  instanceType: computed(instanceType, ({ architecture }) => defaultInstanceType(architecture), {
    description: "EC2 instance type, of the same architecture and of the Nitro system.",
    fallback: "`t4g.small`; `t3.small` for amd64",
    example: "t4g.small",
  }),
  image: setting(
    text(
      /^(keep|roll|ami-[0-9a-f]{8,17})$/,
      "keep, roll or the id of an image such as ami-0123456789abcdef0",
    ),
    "keep",
    {
      description:
        "Debian 13 image: `keep` takes the newest one for each new or replaced machine and stays with it, `roll` replaces the machine when there is a newer one, or the id of one.",
    },
  ),
  rootVolumeSize: setting(wholeNumber(8, 1024), 10, {
    description: "GiB of the machine's root volume, which goes with the machine.",
  }),
  dataVolumeSize: setting(wholeNumber(1, 16_384), 10, {
    description: "GiB of the data volume, which outlives the machine. It can grow, never shrink.",
  }),
  backups: computed(wholeNumber(0, 1000), ({ environment }) => (environment === "dev" ? 0 : 7), {
    description: "Daily snapshots of each data volume that are kept; 0: none are made.",
    fallback: "`7`; `0` in dev",
    example: 7,
  }),
  snapshotId: setting(id("snap", "a snapshot"), "", {
    description:
      'Snapshot that the data volume is made from: another one replaces volume and machine, once (docs/aws.md, "Restore"). It may be taken out afterwards.',
    fallback: "a blank volume",
    example: "snap-0123456789abcdef0",
  }),
  vpcId: setting(id("vpc", "a VPC"), "", {
    description: "An existing VPC; `subnetIds` then names its public subnets.",
    fallback: "a new VPC",
    example: "vpc-0123456789abcdef0",
  }),
  subnetIds: setting(z.array(id("subnet", "a subnet")), [], {
    description: "Public subnets, with IPv4 and IPv6, of the VPC in `vpcId`.",
    fallback: "two new subnets in two zones",
    example: ["subnet-0123456789abcdef0"],
  }),
  allowedCidrs: setting(
    z
      .array(cidr)
      .min(1, "must name at least one address range")
      .transform((ranges) => [...new Set(ranges)]),
    ["0.0.0.0/0", "::/0"],
    {
      description:
        "Who reaches port 443 (TCP and UDP). Port 80 stays open to the world for ACME validation, unless `acme` is a URL or `acmeChallenge` is `dns-01`.",
      example: ["203.0.113.0/24"],
    },
  ),
  ruleQuota: setting(wholeNumber(1, 1000), 60, {
    description:
      "Rules that your account may have in a security group, for each direction and address family (Service Quotas, L-0EA8095F): the limit of `allowedCidrs`.",
  }),
  zone: setting(hostName, "", {
    description: "Route 53 zone that holds the domain, such as example.com.",
    fallback: "none: the records to make are printed",
    example: "example.com",
  }),
  hostedZone: setting(oneOf("lookup", "create"), "lookup", {
    description: "Whether the zone is there already (`lookup`) or is part of the stack (`create`).",
  }),
  acme: setting(
    z
      .string()
      .refine(
        (acme) => isNamedAcme(acme) || acmeUrl.safeParse(acme).success,
        "must be letsencrypt, letsencrypt-staging or the https URL of an ACME directory",
      ),
    "letsencrypt",
    {
      description:
        "Certificate authority: `letsencrypt`, `letsencrypt-staging` (its certificates are for tests), or the URL of an ACME directory.",
    },
  ),
  acmeProfile: setting(acmeProfile, "", {
    description:
      "Kind of certificate, where the authority offers several. Let's Encrypt: `shortlived` (6 days), `tlsserver` (45 days), `classic`. The machine renews each in time; docs/certificates.md says which to choose.",
    fallback: "the authority's own default",
    example: "shortlived",
    edge: "ACME_PROFILE",
  }),
  acmeChallenge: setting(acmeChallenge, "http-01", {
    description:
      "How the machine proves that the domain is its own: `http-01` over port 80, or `dns-01` by a record that it makes in the Route 53 zone `zone`, which works for several machines and with a closed port 80.",
    edge: "ACME_CHALLENGE",
  }),
  acmeCa: setting(z.string(), "", {
    description:
      "PEM file of a certificate authority that the machine trusts besides Debian's, for a private ACME server.",
    fallback: "Debian's certificate authorities",
    example: "ca.pem",
  }),
  caaIssuer: computed(
    text(
      /^$|^(?=.{4,253}$)([a-z0-9-]+\.)+[a-z][a-z0-9-]*$/,
      "the domain that the certificate authority names for CAA records, such as sectigo.com or pki.goog",
    ),
    ({ acme }) => knownIssuer(acme),
    {
      description:
        "Domain by which the CAA record names the certificate authority behind the URL in `acme`, such as sectigo.com for ZeroSSL. Must be set for other URLs when `zone` is set.",
      fallback: "that of Let's Encrypt and other known authorities",
      example: "ca.example.com",
    },
  ),
  alarms: computed(oneOf("basic", "full"), ({ environment }) => (environment === "dev" ? "basic" : "full"), {
    description:
      "`basic`: status checks with recovery. `full`: also the health check, CPU credits, disks, memory and the certificate's lifetime.",
    fallback: "`full`; `basic` in dev",
    example: "full",
  }),
  alarmEmail: setting(emailAddress, "", {
    description: "Who gets a mail for each alarm; AWS asks the address to confirm.",
    fallback: "nobody",
    example: "ops@example.com",
  }),
  logs: setting(oneOf("none", "cloudwatch"), "none", {
    description: "Where the machine's journal and the access log of NGINX or Caddy go besides the machine.",
  }),
  logRetentionDays: setting(retentionDays, 30, {
    description: "Days that CloudWatch keeps them.",
  }),
  shell: setting(oneOf("endpoint", "none"), "endpoint", {
    description:
      "`endpoint` makes an EC2 Instance Connect endpoint for `mcp-edge shell`; `none` when the VPC has one or nobody shall.",
  }),
  permissionsBoundary: setting(
    text(
      /^arn:aws:iam::(aws|\d{12}):policy\/[\w+=,.@/-]{1,512}$/,
      "the ARN of a managed policy, such as arn:aws:iam::123456789012:policy/boundary",
    ),
    "",
    {
      description: "ARN of the permissions boundary that your organisation wants on every role.",
      fallback: "none",
      example: "arn:aws:iam::123456789012:policy/boundary",
    },
  ),
  secrets: setting(
    secrets,
    {},
    {
      description: "Secret environment of the server by name, kept in SSM.",
      fallback: "none",
      example: { API_KEY: "…" },
      secret: true,
    },
  ),
  tags: setting(
    tags,
    {},
    {
      description:
        "More tags by name, beside the program's own. They are on every resource that takes 50 tags; S3 objects and what Route 53 has take ten, and carry the program's own alone. Pulumi's own `aws:defaultTags` puts tags on all that the provider makes.",
      fallback: "none",
      example: { CostCentre: "42" },
    },
  ),
} satisfies Shape;
