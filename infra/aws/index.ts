import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { providerSecretsFile } from "../settings/identity-providers.ts";
import type { AwsSettings } from "../settings.ts";
import { credentialFile } from "../workspace-credentials.ts";
import { isValidatedByAll } from "./acme.ts";
import { Alarms } from "./alarms.ts";
import { Artifacts } from "./artifacts.ts";
import { Backups, backupTag } from "./backups.ts";
import { type CostEstimate, monthlyCost } from "./cost.ts";
import { Deployment } from "./deployment.ts";
import { Dns } from "./dns.ts";
import { edgeFiles } from "./edge-files.ts";
import type { EdgeMachine } from "./edge-machine.ts";
import { edgeMachines } from "./edge-machines.ts";
import { Firewall } from "./firewall.ts";
import { opensToWorld } from "./firewall-rules.ts";
import { Identity } from "./identity.ts";
import { Logs } from "./logs.ts";
import type { MachineTransform } from "./machine.ts";
import { originName, originRoleName } from "./machine-names.ts";
import { Network, type NetworkTransform, type Subnet } from "./network.ts";
import { originNetwork } from "./origin.ts";
import type { PreparedEdge } from "./prepare.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import { Secrets } from "./secrets.ts";
import { Shell } from "./shell.ts";
import { ownTags, type Tags, tagsOf } from "./tags.ts";
import type { Transform } from "./transform.ts";

/** Settings that may be outputs of other resources. The others determine which resources exist and the content of the machine's files. */
interface InputSettings {
  vpcId: pulumi.Input<string>;
  subnetIds: pulumi.Input<string>[];
  permissionsBoundary: pulumi.Input<string>;
  alarmEmail: pulumi.Input<string>;
  secrets: Record<string, pulumi.Input<string>>;
  tags: Tags;
}

export interface AwsEdgeArgs extends PreparedEdge {
  settings: Omit<AwsSettings, keyof InputSettings> & InputSettings;
  /** The region of the machines: the provider's own setting `aws:region`. */
  region: string;
  /** Credentials and endpoints for the wait at the end of an update. Default: those of the environment. */
  provider?: ProviderSettings | undefined;
  /** Path of the edge's parameters and of its log group. Default: project, stack and name of the edge. */
  prefix?: string | undefined;
  transform?: AwsEdgeTransform | undefined;
}

/** Changes to child resources, as in transform.ts. A function gets the name of the resource as its third argument. */
export interface AwsEdgeTransform extends NetworkTransform, MachineTransform {
  securityGroup?: Transform<aws.ec2.SecurityGroupArgs>;
  volume?: Transform<aws.ebs.VolumeArgs>;
  /** The machines' role, and the one for backups. */
  role?: Transform<aws.iam.RoleArgs>;
  bucket?: Transform<aws.s3.BucketArgs>;
  logGroup?: Transform<aws.cloudwatch.LogGroupArgs>;
  alarm?: Transform<aws.cloudwatch.MetricAlarmArgs>;
  topic?: Transform<aws.sns.TopicArgs>;
  zone?: Transform<aws.route53.ZoneArgs>;
  record?: Transform<aws.route53.RecordArgs>;
}

/** A machine in the stack's output `machines`. */
export interface MachineOutput {
  /** With `edge: passthrough`: which of the two machines. The addresses of the origin are those of its private subnet. */
  kind?: "edge" | "origin";
  /** Id of the instance. */
  instance: string;
  ipv4: string;
  ipv6: string;
  /** For `pulumi up --replace`. */
  urn: string;
  /** For `pulumi state unprotect`, before a restore. An edge that only forwards packets has no volume. */
  volumeUrn?: string;
}

/**
 * A whole edge on AWS, from network to alarms. One or more Debian 13 machines pull their files and their release from a private
 * bucket; only HTTP and HTTPS are open to the world. A program can declare several (docs/components.md).
 *
 * ```ts
 * const settings = parseSettings({ target: "aws", domain, workspace }, pulumi.getStack()) as AwsSettings;
 * new AwsEdge("edge", { settings, region, ...(await prepareAwsEdge(settings)) });
 * ```
 *
 * ### Cost
 * The sum of the parts, line by line in the output `monthlyCost` (cost.ts).
 */
export class AwsEdge extends pulumi.ComponentResource {
  readonly url: string;
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  readonly machines: pulumi.Output<MachineOutput[]>;
  readonly bucket: pulumi.Output<string>;
  /** Name of the role of the machines that run the server, for further policies. */
  readonly role: pulumi.Output<string>;
  readonly generation: pulumi.Output<string>;
  /** Lines of a zone file. They are in Route 53 when the settings name a zone; otherwise people create them. */
  readonly records: pulumi.Output<string[]>;
  /** Name servers of a zone that was created here. Enter them at the registrar. */
  readonly nameServers: pulumi.Output<string[]> | undefined;
  /** The command that opens a shell. */
  readonly shell: string;
  readonly monthlyCost: CostEstimate;

  constructor(name: string, args: AwsEdgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Edge", name, {}, opts);
    const child = { parent: this };
    const { settings, region, transform, workspace } = args;
    const { stack, domain, protect, permissionsBoundary } = settings;
    const { provider = { region } } = args;
    const prefix = args.prefix ?? `/${pulumi.getProject()}/${pulumi.getStack()}/${name}`;
    const parameterPath = `${prefix}/env`;
    const tags = tagsOf(settings);
    const common = { tags, transform };

    const network = new Network(name, { ...settings, ...common }, child);
    const { vpcId } = network;
    const rules = {
      ...{ allowedCidrs: settings.allowedCidrs, publicAcme: isValidatedByAll(settings), vpcId },
      ...{ workspace: workspace.source, ...common },
    };
    const firewall = new Firewall(name, rules, child);
    const behind =
      settings.edge === "passthrough"
        ? originNetwork(name, { network, firewall, region }, rules, this)
        : undefined;
    if (settings.shell === "endpoint") {
      const subnetId = (network.subnets[0] as Subnet).id;
      const machineGroups = [
        { part: "shell", id: firewall.groupId },
        ...(behind ? [{ part: "origin-shell", id: behind.firewall.groupId }] : []),
      ];
      new Shell(name, { vpcId, subnetId, machineGroups, tags }, child);
    }
    const artifacts = new Artifacts(name, { protect, ...common }, child);
    const { secrets: values } = settings;
    const workspaceCredentials = credentialFile(settings);
    const identityProviderSecrets = providerSecretsFile(settings.identityProviderSecrets);
    const secrets = new Secrets(
      name,
      { parameterPath, secrets: values, workspaceCredentials, identityProviderSecrets, tags },
      child,
    );
    const dns = new Dns(name, { ...settings, tags: ownTags(settings), transform }, child);
    const challengeZone = settings.acmeChallenge === "dns-01" ? dns.zoneId : "";
    const { release, files, bundle } = args;
    const deployment = new Deployment(
      name,
      {
        ...{ stack, provider, artifacts, release, files, workspace, bundle },
        edgeFiles: behind && args.edgeFiles && edgeFiles(args.edgeFiles, behind.network.port),
        zone: challengeZone,
        secrets: secrets.versions,
        tags: ownTags(settings),
      },
      child,
    );
    const logs =
      settings.logs === "cloudwatch"
        ? new Logs(name, { groupName: prefix, retentionDays: settings.logRetentionDays, ...common }, child)
        : undefined;
    const { accountId } = aws.getCallerIdentityOutput({}, child);
    const permissions = {
      ...{ region, accountId, parameterPath, permissionsBoundary, ...common },
      bucketArn: artifacts.arn,
      logGroupArn: logs?.groupArn ?? "",
      metrics: settings.alarms === "full",
    };
    const challenge = {
      challengeZone,
      names: settings.tokenDomain ? [domain, settings.tokenDomain] : [domain],
    };
    const identity = new Identity(name, { ...permissions, ...challenge, server: !behind }, child);
    const origin = behind && {
      ...behind,
      identity: new Identity(originName(name), { ...permissions, roleName: originRoleName(name) }, child),
      awaitEdge: ({ instanceId, ready }: EdgeMachine, routes: pulumi.Resource[]) =>
        deployment.waitForEdge(instanceId, settings.instanceType, [...ready, ...routes]),
    };
    const { machines, replaceWith } = edgeMachines(
      name,
      {
        ...{ settings, network, firewall, identity, origin, ...common },
        ...{ prefix, region, bucket: artifacts.bucket, bootsAfter: deployment.published },
      },
      this,
    );
    const servers = machines.filter(({ duty }) => duty === "server");
    /** Those with public addresses. */
    const edges = origin ? machines.filter(({ duty }) => duty === "forwarder") : machines;
    if (settings.backups > 0) {
      const { backups: count } = settings;
      const targetTags = backupTag(name);
      new Backups(name, { stack, count, targetTags, permissionsBoundary, ...common }, child);
    }
    const ipv4 = edges.map((machine) => machine.ipv4);
    const ipv6 = edges.map((machine) => machine.ipv6);
    const records = dns.point(ipv4, ipv6);
    const openToWorld = opensToWorld(settings.allowedCidrs);
    const { alarms: level, alarmEmail: email, instanceType } = settings;
    new Alarms(
      name,
      {
        region,
        domain,
        level,
        instanceType,
        machines,
        openToWorld,
        email,
        ...common,
        ownTags: ownTags(settings),
      },
      child,
    );
    deployment.wait(
      {
        domain,
        instances: machines.map(({ instanceId }) => instanceId),
        servers: servers.map(({ instanceId }) => instanceId),
        records: settings.zone ? settings.hostedZone : "by hand",
        lines: records,
        machines: pulumi.interpolate`${instanceType} ${replaceWith}`,
        addresses: openToWorld ? ipv4 : [],
        nameServers: dns.nameServers ?? [],
      },
      [...machines.flatMap(({ ready }) => ready), dns],
    );

    this.url = `https://${domain}/mcp`;
    this.ipv4 = ipv4[0] as pulumi.Output<string>;
    this.ipv6 = ipv6[0] as pulumi.Output<string>;
    this.machines = pulumi.output(
      machines.map(({ instanceId: instance, ipv4, ipv6, instanceUrn: urn, volumeUrn, duty }) => ({
        ...(origin ? { kind: duty === "server" ? ("origin" as const) : ("edge" as const) } : {}),
        ...{ instance, ipv4, ipv6, urn },
        ...(volumeUrn ? { volumeUrn } : {}),
      })),
    );
    this.bucket = artifacts.bucket;
    this.role = (origin?.identity ?? identity).role;
    this.generation = deployment.generation;
    this.records = records;
    this.nameServers = dns.nameServers;
    this.shell =
      settings.shell === "endpoint"
        ? `npm run mcp-edge -- shell --stack ${stack}`
        : `none: pulumi config set mcp-edge:shell endpoint --stack ${stack}`;
    this.monthlyCost = monthlyCost(settings);
    this.registerOutputs({
      ...{ url: this.url, ipv4: this.ipv4, ipv6: this.ipv6, machines: this.machines, bucket: this.bucket },
      ...{
        role: this.role,
        generation: this.generation,
        records: this.records,
        nameServers: this.nameServers,
      },
      ...{ shell: this.shell, monthlyCost: this.monthlyCost },
    });
  }
}
