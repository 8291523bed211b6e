import * as aws from "@pulumi/aws";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { FilesArchive } from "../files-archive.ts";
import type { Release } from "../release.ts";
import type { Workspace } from "../workspace.ts";
import type { Artifacts } from "./artifacts.ts";
import type { Records } from "./certificate-wait.ts";
import { archiveKeys, desired, desiredText } from "./desired.ts";
import type { EdgeFiles } from "./edge-files.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import { named, type Tags } from "./tags.ts";

export interface DeploymentArgs {
  /** The stack's name, for commands in messages. */
  stack: string;
  artifacts: Artifacts;
  release: Release;
  files: FilesArchive;
  /** The files of an edge that forwards packets; undefined: one machine is both. */
  edgeFiles: EdgeFiles | undefined;
  workspace: Workspace;
  /** Archive of the workspace's commits on this host. "": the machine clones a URL. */
  bundle: string;
  /** Names and versions of the secrets. */
  secrets: pulumi.Input<string>;
  /** Account and credentials with which the machines' statuses are read. */
  provider: ProviderSettings;
  /** The zone in which the machines prove the domain (dns-01). "": none. */
  zone: pulumi.Input<string>;
  tags: Tags;
}

/** The arguments of `wait` in addition to those of the deployment. */
export interface WaitArgs {
  domain: string;
  instances: pulumi.Input<string>[];
  /** Those of them that serve with the certificate. */
  servers: pulumi.Input<string>[];
  /** Changes with each replacement or restart of a machine, such as its type. */
  machines: pulumi.Input<string>;
  records: Records;
  /** Addresses that must answer this host. Empty if the firewall restricts HTTPS. */
  addresses: pulumi.Input<string>[];
  lines: pulumi.Input<string[]>;
  nameServers: pulumi.Input<string[]>;
}

/**
 * The engine's plugins start in the folder of the program: this project's folder, or one below it if the program imports the components.
 * `mcp-edge` passes this project's folder in a variable.
 */
const PUBLISH = [
  'cd "$(printenv MCP_EDGE_ROOT || pwd)"',
  'until [ -e infra/aws/publish.ts ] || [ "$PWD" = / ]; do cd ..; done',
  "exec node --import=./infra/node-check.js infra/aws/publish.ts",
].join(" && ");

/** Prints a different text at each run. */
const TIMESTAMP = "date +%s%N";

/**
 * Publishes what the machines run, by content hash, and waits for the machines. `pulumi up` shows each machine's steps as they happen. If a
 * machine rolls back, `pulumi up` fails with the end of that machine's log.
 *
 * ### Cost
 * None beyond the bucket.
 */
export class Deployment extends pulumi.ComponentResource {
  readonly generation: pulumi.Output<string>;
  /** The published objects. Once they exist, machines may boot. */
  readonly published: pulumi.Resource[];
  readonly #args: DeploymentArgs;

  readonly #name: string;

  constructor(name: string, args: DeploymentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Deployment", name, {}, opts);
    this.#args = args;
    this.#name = name;
    const { release, files, edgeFiles, workspace } = args;
    const archives = [
      this.#upload("release", release.hash, release.archive),
      this.#upload("files", files.hash, files.archive),
      ...(edgeFiles ? [this.#uploadEdgeFiles(edgeFiles)] : []),
      // Named by its commits. Another checkout packs the same commits into different bytes, which must not count as a change.
      ...(args.bundle ? [this.#upload("workspace", workspace.identity, args.bundle, ["source"])] : []),
    ];
    const content = pulumi.all([args.secrets, edgeFiles?.archive, args.zone]).apply(([secrets, edge, zone]) =>
      desired(
        {
          ...{ release: release.hash, files: files.hash, workspace: workspace.identity },
          ...(edge ? { edgeFiles: edge.hash } : {}),
          ...(zone ? { zone } : {}),
        },
        secrets,
      ),
    );
    const wanted = new aws.s3.BucketObjectv2(
      `${name}-desired`,
      {
        bucket: args.artifacts.bucket,
        key: "desired.json",
        content: content.apply(desiredText),
        contentType: "application/json",
        tags: named(args.tags, "desired"),
      },
      // Machines fetch the archives as soon as they read this.
      { parent: this, dependsOn: [...args.artifacts.guards, ...archives] },
    );
    this.generation = content.generation;
    this.published = [...archives, wanted];
    this.registerOutputs({ generation: this.generation });
  }

  /**
   * Waits until every machine reports that it runs this generation and serves with a trusted certificate (publish.ts).
   */
  wait(args: WaitArgs, ready: pulumi.Resource[]): command.local.Command {
    const { domain, instances, servers, machines, records, lines, nameServers, addresses } = args;
    const { stack, edgeFiles } = this.#args;
    const tlsServer = edgeFiles ? "caddy" : "nginx";
    const certificate = { stack, domain, instances: servers, tlsServer, records, lines, nameServers };
    return this.#wait("", { instances, certificate, addresses }, machines, ready);
  }

  /**
   * Waits until an edge runs this generation, so that it forwards the packets of the machine behind it.
   * @param machines changes with each replacement or restart of the edge
   */
  waitForEdge(
    instance: pulumi.Input<string>,
    machines: pulumi.Input<string>,
    ready: pulumi.Resource[],
  ): command.local.Command {
    return this.#wait("edge-", { instances: [instance] }, machines, ready);
  }

  #wait(
    part: string,
    what: { instances: pulumi.Input<string>[]; certificate?: object; addresses?: pulumi.Input<string>[] },
    machines: pulumi.Input<string>,
    ready: pulumi.Resource[],
  ): command.local.Command {
    const { artifacts, provider, tags } = this.#args;
    const { bucket } = artifacts;
    const wait = { bucket, ...what, generation: this.generation, tags: named(tags, "desired") };
    const MCP_EDGE_WAIT = pulumi.jsonStringify(wait);
    // A wait that failed leaves no trace in the state, so a rollback to the previous content would find nothing to wait for. This command
    // always succeeds, so its output changes with everything that is waited for.
    const asked = new command.local.Command(
      `${this.#name}-${part}awaited`,
      { create: TIMESTAMP, update: TIMESTAMP, environment: { WAIT: MCP_EDGE_WAIT, MACHINES: machines } },
      { parent: this },
    );
    const aws = JSON.stringify(provider);
    return new command.local.Command(
      `${this.#name}-${part}converged`,
      {
        create: PUBLISH,
        update: PUBLISH,
        environment: {
          MCP_EDGE_WAIT,
          MCP_EDGE_AWS: provider.secretKey ? pulumi.secret(aws) : aws,
          MCP_EDGE_ASKED: asked.stdout,
        },
      },
      {
        parent: this,
        dependsOn: [...this.published, ...ready],
        customTimeouts: { create: "45m", update: "45m" },
      },
    );
  }

  #uploadEdgeFiles({ identity, archive }: EdgeFiles): aws.s3.BucketObjectv2 {
    const { artifacts, tags } = this.#args;
    return new aws.s3.BucketObjectv2(
      `${this.#name}-edge-files-${identity.slice(0, 12)}`,
      {
        bucket: artifacts.bucket,
        key: archive.apply(({ hash }) => archiveKeys.files(hash)),
        source: archive.apply((files) => new pulumi.asset.FileAsset(files.archive)),
        tags: named(tags, "files"),
      },
      { parent: this, dependsOn: artifacts.guards, retainOnDelete: true },
    );
  }

  /**
   * One resource for each content. The object is retained when the program drops the resource, since a rollback may need it. publish.ts
   * deletes old objects (prune.ts). A single resource with a changing key would not work: after a failed deployment the old object is
   * still pending deletion, so a rollback to the same key would write the object and then delete it.
   */
  #upload(
    what: keyof typeof archiveKeys,
    hash: string,
    file: string,
    ignoreChanges: string[] = [],
  ): aws.s3.BucketObjectv2 {
    const { artifacts, tags } = this.#args;
    return new aws.s3.BucketObjectv2(
      `${this.#name}-${what}-${hash.slice(0, 12)}`,
      {
        bucket: artifacts.bucket,
        key: archiveKeys[what](hash),
        source: new pulumi.asset.FileAsset(file),
        tags: named(tags, what),
      },
      { parent: this, dependsOn: artifacts.guards, retainOnDelete: true, ignoreChanges },
    );
  }
}
