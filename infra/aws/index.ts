import { readFile } from "node:fs/promises";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { awsUserData } from "../../cloud-init/aws-user-data.ts";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { gzipUserData } from "../../cloud-init/user-data.ts";
import { type FilesArchive, writeFilesArchive } from "../files-archive.ts";
import type { Release } from "../release.ts";
import { machineSettings } from "../settings/machine.ts";
import type { AwsSettings } from "../settings.ts";
import { bundleOf, resolveWorkspace, type Workspace } from "../workspace.ts";
import { credentialFile } from "../workspace-credentials.ts";
import { acmeDirectory, isPublicAcme } from "./acme.ts";
import { Alarms } from "./alarms.ts";
import { Artifacts } from "./artifacts.ts";
import { Backups, backupTag } from "./backups.ts";
import { type CostEstimate, monthlyCost } from "./cost.ts";
import { Deployment } from "./deployment.ts";
import { Dns } from "./dns.ts";
import { Firewall } from "./firewall.ts";
import { opensToWorld } from "./firewall-rules.ts";
import { Identity } from "./identity.ts";
import { imageOf } from "./image.ts";
import { Logs } from "./logs.ts";
import { Machine } from "./machine.ts";
import { machineLabel, machineName } from "./machine-names.ts";
import { assertSubnets, Network, type Subnet } from "./network.ts";
import { once } from "./once.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import { Secrets } from "./secrets.ts";
import { Shell } from "./shell.ts";
import { Storage } from "./storage.ts";
import { ownTags, tagsOf } from "./tags.ts";

export interface AwsEdgeArgs {
  settings: AwsSettings;
  release: Release;
  /** Where the machines are; the provider's own setting `aws:region`. */
  region: string;
  /** Who asks AWS beside the engine; default: whoever the environment names. */
  provider?: ProviderSettings;
}

/** A machine, as the stack's output `machines` names it. */
export interface MachineOutput {
  /** Id of the instance. */
  instance: string;
  ipv4: string;
  ipv6: string;
  /** For `pulumi up --replace`. */
  urn: string;
  /** For `pulumi state unprotect`, before a restore. */
  volumeUrn: string;
}

/** What is read from this host before the first resource. */
interface Prepared {
  workspace: Workspace;
  bundle: string;
  files: FilesArchive;
}

/**
 * The whole edge on AWS, from network to alarms: what `pulumi up` of a stack with `target: aws` makes. One or more Debian 13
 * machines pull their files and their release from a private bucket; nothing but HTTP and HTTPS is open to the world.
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
  readonly generation: pulumi.Output<string>;
  /** Lines of a zone file: in Route 53 when the settings name a zone, else to be made by hand. */
  readonly records: pulumi.Output<string[]>;
  /** To be entered at the registrar, when the zone was made here. */
  readonly nameServers: pulumi.Output<string[]> | undefined;
  /** How to open a shell. */
  readonly shell: string;
  readonly monthlyCost: CostEstimate;

  static async create(name: string, args: AwsEdgeArgs, opts?: pulumi.ComponentResourceOptions) {
    return new AwsEdge(name, args, await prepare(args.settings), opts);
  }

  private constructor(
    name: string,
    { settings, release, region, provider = { region } }: AwsEdgeArgs,
    { workspace, bundle, files }: Prepared,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("mcp-edge:aws:Edge", name, {}, opts);
    const child = { parent: this };
    const { stack, protect } = settings;
    const tags = tagsOf(settings);
    const { accountId } = aws.getCallerIdentityOutput({}, child);

    const network = new Network(`${name}-network`, { ...settings, tags }, child);
    const { vpcId } = network;
    const firewall = new Firewall(
      `${name}-firewall`,
      { ...settings, workspace: workspace.source, vpcId, publicAcme: isPublicAcme(settings.acme), tags },
      child,
    );
    const machineGroupId = firewall.groupId;
    if (settings.shell === "endpoint") {
      const subnetId = (network.subnets[0] as Subnet).id;
      new Shell(`${name}-shell`, { stack, vpcId, subnetId, machineGroupId, tags }, child);
    }

    const artifacts = new Artifacts(`${name}-artifacts`, { stack, accountId, protect, tags }, child);
    const secrets = new Secrets(
      `${name}-secrets`,
      { stack, secrets: settings.secrets, workspaceCredentials: credentialFile(settings), tags },
      child,
    );
    const deployment = new Deployment(
      `${name}-deployment`,
      {
        ...{ stack, provider, artifacts, release, files, workspace, bundle },
        secrets: secrets.versions,
        tags: ownTags(settings),
      },
      child,
    );
    const retentionDays = settings.logRetentionDays;
    const logs =
      settings.logs === "cloudwatch"
        ? new Logs(`${name}-logs`, { stack, retentionDays, tags }, child)
        : undefined;
    const identity = new Identity(
      `${name}-identity`,
      {
        stack,
        region,
        accountId,
        bucketArn: artifacts.arn,
        logGroupArn: logs?.groupArn ?? "",
        metrics: settings.alarms === "full",
        permissionsBoundary: settings.permissionsBoundary,
        tags,
      },
      child,
    );

    const image = imageOf(settings, child);
    const { snapshotId } = settings;
    // What earlier versions' setting `machine` asked for. It stays part of the trigger: to forget it would replace those machines.
    const asked = once(`${stack}-machine-asked`, { value: "keep", neutral: "keep" }, child);
    const restored = once(`${stack}-snapshot-asked`, { value: snapshotId, neutral: "" }, child);
    // The machine knows its volume's id from its first boot on, so another volume is another machine.
    const replaceWith = pulumi.interpolate`${settings.architecture} ${asked} ${restored}`;
    const machines = Array.from({ length: settings.machines }, (_, index) => {
      const machine = machineName(stack, index);
      const label = machineLabel(stack, index);
      const subnet = network.subnets[index % network.subnets.length] as Subnet;
      const size = settings.dataVolumeSize;
      const storage = new Storage(
        `${machine}-storage`,
        {
          ...{ machine, label, zone: subnet.zone, size, snapshotId, restored, protect },
          tags: { ...tags, ...backupTag(stack) },
        },
        child,
      );
      const { volumeId } = storage;
      const userData = pulumi.all([artifacts.bucket, volumeId]).apply(([bucket, volume]) => {
        const endpoint = process.env.MCP_EDGE_MACHINE_ENDPOINT ?? "";
        const around = { stack, region, bucket, volume, endpoint };
        return gzipUserData(awsUserData(around)).toString("base64");
      });
      const made = new Machine(
        `${machine}-edge`,
        {
          machine,
          label,
          subnet,
          groupId: machineGroupId,
          reachable: [...network.ready, ...firewall.rules],
          profile: identity.profile,
          image,
          instanceType: settings.instanceType,
          rootVolumeSize: settings.rootVolumeSize,
          volumeId,
          userData,
          replaceWith,
          protect,
          tags,
        },
        { parent: this, dependsOn: [identity.policy, ...deployment.published] },
      );
      const { instanceId, ipv4, ipv6, ready, instanceUrn: urn } = made;
      return { machine, label, instanceId, ipv4, ipv6, ready, urn, volumeUrn: storage.volumeUrn };
    });
    if (settings.backups > 0) {
      const { backups: count, permissionsBoundary } = settings;
      new Backups(`${name}-backups`, { stack, count, permissionsBoundary, tags }, child);
    }
    const dns = new Dns(
      `${name}-dns`,
      {
        ...settings,
        ipv4: machines.map(({ ipv4 }) => ipv4),
        ipv6: machines.map(({ ipv6 }) => ipv6),
        tags: ownTags(settings),
      },
      child,
    );
    new Alarms(
      `${name}-alarms`,
      {
        stack,
        region,
        domain: settings.domain,
        level: settings.alarms,
        instanceType: settings.instanceType,
        machines: machines.map(({ machine, label, instanceId }) => ({ machine, label, instanceId })),
        openToWorld: opensToWorld(settings.allowedCidrs),
        email: settings.alarmEmail,
        tags,
        ownTags: ownTags(settings),
      },
      child,
    );
    const ids = machines.map(({ instanceId }) => instanceId);
    const records = !settings.zone ? "by hand" : settings.hostedZone;
    deployment.wait(
      {
        ...{ domain: settings.domain, instances: ids, records, lines: dns.records },
        machines: pulumi.interpolate`${settings.instanceType} ${replaceWith}`,
        addresses: opensToWorld(settings.allowedCidrs) ? machines.map(({ ipv4 }) => ipv4) : [],
        nameServers: dns.nameServers ?? [],
      },
      [...machines.flatMap(({ ready }) => ready), dns],
    );

    this.url = `https://${settings.domain}/mcp`;
    this.ipv4 = (machines[0] as (typeof machines)[0]).ipv4;
    this.ipv6 = (machines[0] as (typeof machines)[0]).ipv6;
    this.machines = pulumi.output(
      machines.map(({ instanceId: instance, ipv4, ipv6, urn, volumeUrn }) => ({
        ...{ instance, ipv4, ipv6, urn, volumeUrn },
      })),
    );
    this.bucket = artifacts.bucket;
    this.generation = deployment.generation;
    this.records = dns.records;
    this.nameServers = dns.nameServers;
    this.shell =
      settings.shell === "endpoint"
        ? `npm run mcp-edge -- shell --stack ${stack}`
        : `none: pulumi config set mcp-edge:shell endpoint --stack ${stack}`;
    this.monthlyCost = monthlyCost(settings);
    this.registerOutputs({ url: this.url, machines: this.machines, records: this.records });
  }
}

/** Workspace, machine's files and what they name on this host. */
async function prepare(settings: AwsSettings): Promise<Prepared> {
  await assertSubnets(settings);
  const workspace = await resolveWorkspace(settings.workspace, settings.workspaceRefs);
  const { acmeCa } = settings;
  const machine = machineSettings(settings, {
    acmeServer: acmeDirectory(settings.acme),
    workspace: workspace.source,
    workspaceName: workspace.name,
    ...(acmeCa === "" ? {} : { trustedCa: await readFile(acmeCa, "utf8") }),
    aws: { metrics: settings.alarms === "full", logs: settings.logs === "cloudwatch" },
  });
  const files = await writeFilesArchive(machineFiles(machine));
  return { workspace, files, bundle: await bundleOf(workspace) };
}
