import {
  type Check,
  checkAcme,
  checkBoundary,
  checkCidr,
  checkDomain,
  checkEmail,
  checkImage,
  checkInstanceType,
  checkIssuer,
  checkOrigin,
  checkRef,
  checkRetention,
  checkSecrets,
  checkSnapshot,
  checkSubnets,
  checkTags,
  checkTimeOfDay,
  checkVpc,
  checkWorkspace,
  each,
} from "./settings-checks.ts";

import { parseWorkspaceCredentials } from "./workspace-credentials.ts";

export type Target = "local" | "aws";

/**
 * The one table of settings. It drives parsing, Pulumi.yaml's `config:` and docs/settings.md (a test compares them).
 * Keys live in the namespace of the project: `mcp-edge:domain`.
 */
export interface Setting {
  /** `list`: texts separated by commas. */
  type: "string" | "number" | "boolean" | "list";
  /** Text of the default, or a sentence in parentheses when it is computed or there is none. */
  default: string;
  description: string;
  /** Targets that know the key; default: all. */
  targets?: readonly Target[];
  /** Allowed values. */
  values?: readonly string[];
  min?: number;
  max?: number;
  /** Says what is wrong with a value, or undefined. */
  check?: Check;
  /** Its value is never printed. */
  secret?: boolean;
}

const aws = { targets: ["aws"] } as const;

export const SETTINGS = {
  target: {
    type: "string",
    default: "local",
    values: ["local", "aws"],
    description: "Where the machine is: `local` is a Debian guest on this Linux host, `aws` an EC2 instance.",
  },
  domain: {
    type: "string",
    default: "(`<stack>.mcp-edge.test`; must be set for `aws`)",
    description: "Host name of the server; its certificate is issued for it.",
    check: checkDomain,
  },
  email: {
    type: "string",
    default: "(`admin@<domain>`)",
    description: "Contact of the ACME account.",
    check: checkEmail,
  },
  auth: {
    type: "string",
    default: "token",
    values: ["token"],
    description: "Who may call: `token` asks for a bearer token, which is stored hashed.",
  },
  workspace: {
    type: "string",
    default: ".",
    description:
      "Git repository that the tools read: a folder on this host (its commits are pushed) or a URL.",
    check: checkWorkspace,
  },
  workspaceRefs: {
    type: "list",
    default: "(local: `*`, all; aws: none)",
    description:
      "Branches and tags of a `workspace` folder that are pushed besides HEAD: names or patterns such as `main,v*`. A URL has all of its own.",
    check: each(checkRef),
  },
  rebootAt: {
    type: "string",
    default: "04:00",
    check: checkTimeOfDay,
    description:
      "Time of day (UTC) from which on, within an hour, the machine reboots when an installed patch needs it; each machine has a moment of its own. `off`: never.",
  },
  workspaceCredentials: {
    type: "string",
    secret: true,
    default: "(none)",
    description:
      'For a private repository, JSON: `{"user":"…","token":"…"}` for https, `{"key":"…","knownHosts":"…"}` for ssh; root alone can read it on the machine: pulumi config set --secret mcp-edge:workspaceCredentials <FILE.',
    check: (value) => {
      const parsed = parseWorkspaceCredentials(value);
      return typeof parsed === "string" ? parsed : undefined;
    },
  },
  rateLimit: {
    type: "number",
    default: "50",
    min: 1,
    max: 10_000,
    description:
      "Requests a second that one token, and the requests of one address without one, may send before they are answered 429; one address four times as many in all.",
  },
  allowedOrigins: {
    type: "list",
    default: "(the server's own and loopback)",
    description:
      "More origins whose pages may call: `https://chat.example.com`, `https://*.example.com`, or a whole scheme for desktop and extension clients, `vscode-webview://*`.",
    check: each(checkOrigin),
  },
  logLevel: {
    type: "string",
    default: "info",
    values: ["debug", "info", "warn", "error"],
    description: "Level of the server's log in the journal.",
  },
  environment: {
    ...aws,
    type: "string",
    default: "(the stack's name if it is one of these, else `dev`)",
    values: ["dev", "staging", "prod"],
    description: "What the stack is for: a tag, and the default of `protect` and `alarms`.",
  },
  protect: {
    ...aws,
    type: "boolean",
    default: "(`true` in prod)",
    description: "Guard data volume, addresses, zone and machine against deletion, by the engine and by EC2.",
  },
  machines: {
    ...aws,
    type: "number",
    default: "1",
    min: 1,
    max: 10,
    description:
      "How many machines, each with its own addresses and data volume. More than one needs an ACME server of your own (`acme`): they share no certificate.",
  },
  elasticIpQuota: {
    ...aws,
    type: "number",
    default: "5",
    min: 1,
    max: 1000,
    description:
      "Elastic IP addresses that your account may have in the region (Service Quotas, L-0263D0A3); each machine takes one.",
  },
  architecture: {
    ...aws,
    type: "string",
    default: "arm64",
    values: ["arm64", "amd64"],
    description: "Processor of machine, image and release. Another one replaces the machine.",
  },
  instanceType: {
    ...aws,
    type: "string",
    default: "(`t4g.small`; `t3.small` for amd64)",
    description: "EC2 instance type, of the same architecture and of the Nitro system.",
    check: checkInstanceType,
  },
  image: {
    ...aws,
    type: "string",
    default: "keep",
    description:
      "Debian 13 image: `keep` takes the newest one for each new or replaced machine and stays with it, `roll` replaces the machine when there is a newer one, or the id of one.",
    check: checkImage,
  },
  rootVolumeSize: {
    ...aws,
    type: "number",
    default: "10",
    min: 8,
    max: 1024,
    description: "GiB of the machine's root volume, which goes with the machine.",
  },
  dataVolumeSize: {
    ...aws,
    type: "number",
    default: "10",
    min: 1,
    max: 16_384,
    description: "GiB of the data volume, which outlives the machine. It can grow, never shrink.",
  },
  backups: {
    ...aws,
    type: "number",
    default: "(`7`; `0` in dev)",
    min: 0,
    max: 1000,
    description: "Daily snapshots of each data volume that are kept; 0: none are made.",
  },
  snapshotId: {
    ...aws,
    type: "string",
    default: "(a blank volume)",
    description:
      'Snapshot that the data volume is made from: another one replaces volume and machine, once (docs/aws.md, "Restore"). It may be taken out afterwards.',
    check: checkSnapshot,
  },
  vpcId: {
    ...aws,
    type: "string",
    default: "(a new VPC)",
    description: "An existing VPC; `subnetIds` then names its public subnets.",
    check: checkVpc,
  },
  subnetIds: {
    ...aws,
    type: "list",
    default: "(two new subnets in two zones)",
    description: "Public subnets, with IPv4 and IPv6, of the VPC in `vpcId`.",
    check: checkSubnets,
  },
  allowedCidrs: {
    ...aws,
    type: "list",
    default: "0.0.0.0/0,::/0",
    description:
      "Who reaches port 443 (TCP and UDP). Port 80 stays open to the world for ACME validation, unless `acme` is a URL.",
    check: each(checkCidr),
  },
  ruleQuota: {
    ...aws,
    type: "number",
    default: "60",
    min: 1,
    max: 1000,
    description:
      "Rules that your account may have in a security group, for each direction and address family (Service Quotas, L-0EA8095F): the limit of `allowedCidrs`.",
  },
  zone: {
    ...aws,
    type: "string",
    default: "(none: the records to make are printed)",
    description: "Route 53 zone that holds the domain, such as example.com.",
    check: checkDomain,
  },
  hostedZone: {
    ...aws,
    type: "string",
    default: "lookup",
    values: ["lookup", "create"],
    description: "Whether the zone is there already (`lookup`) or is part of the stack (`create`).",
  },
  acme: {
    ...aws,
    type: "string",
    default: "letsencrypt",
    description:
      "Certificate authority: `letsencrypt`, `letsencrypt-staging` (its certificates are for tests), or the URL of an ACME directory.",
    check: checkAcme,
  },
  acmeCa: {
    ...aws,
    type: "string",
    default: "(Debian's certificate authorities)",
    description:
      "PEM file of a certificate authority that the machine trusts besides Debian's, for a private ACME server.",
  },
  caaIssuer: {
    ...aws,
    type: "string",
    default: "(that of Let's Encrypt and other known authorities; no CAA record for any other URL in `acme`)",
    description:
      "Domain by which the CAA record names the certificate authority behind the URL in `acme`, such as sectigo.com for ZeroSSL.",
    check: checkIssuer,
  },
  alarms: {
    ...aws,
    type: "string",
    default: "(`full`; `basic` in dev)",
    values: ["basic", "full"],
    description:
      "`basic`: status checks with recovery. `full`: also the health check, CPU credits, disks, memory and the certificate's lifetime.",
  },
  alarmEmail: {
    ...aws,
    type: "string",
    default: "(nobody)",
    description: "Who gets a mail for each alarm; AWS asks the address to confirm.",
    check: checkEmail,
  },
  logs: {
    ...aws,
    type: "string",
    default: "none",
    values: ["none", "cloudwatch"],
    description: "Where the machine's journal and NGINX's access log go besides the machine.",
  },
  logRetentionDays: {
    ...aws,
    type: "number",
    default: "30",
    description: "Days that CloudWatch keeps them.",
    check: checkRetention,
  },
  shell: {
    ...aws,
    type: "string",
    default: "endpoint",
    values: ["endpoint", "none"],
    description:
      "`endpoint` makes an EC2 Instance Connect endpoint for `mcp-edge shell`; `none` when the VPC has one or nobody shall.",
  },
  permissionsBoundary: {
    ...aws,
    type: "string",
    default: "(none)",
    description: "ARN of the permissions boundary that your organisation wants on every role.",
    check: checkBoundary,
  },
  secrets: {
    ...aws,
    type: "string",
    secret: true,
    default: "(none)",
    description:
      'Secret environment of the server, a JSON object, kept in SSM: pulumi config set --secret mcp-edge:secrets \'{"API_KEY":"…"}\'.',
    check: checkSecrets,
  },
  tags: {
    ...aws,
    type: "list",
    default: "(none)",
    description:
      "More tags: name=value, separated by commas. They are on every resource that takes 50 tags; S3 objects and what Route 53 has take ten, and carry the program's own alone.",
    check: checkTags,
  },
} as const satisfies Record<string, Setting>;

export type SettingKey = keyof typeof SETTINGS;
