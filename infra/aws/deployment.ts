import * as aws from "@pulumi/aws";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { FilesArchive } from "../files-archive.ts";
import type { Release } from "../release.ts";
import type { Workspace } from "../workspace.ts";
import type { Artifacts } from "./artifacts.ts";
import type { Records } from "./certificate-wait.ts";
import { archiveKeys, desired, desiredText } from "./desired.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import { named, type Tags } from "./tags.ts";

export interface DeploymentArgs {
  /** For the commands that messages name. */
  stack: string;
  artifacts: Artifacts;
  release: Release;
  files: FilesArchive;
  workspace: Workspace;
  /** Archive of the workspace's commits on this host; "": the machine clones a URL. */
  bundle: string;
  /** Names and versions of the secrets. */
  secrets: pulumi.Input<string>;
  /** Account and credentials with which the machines' statuses are read. */
  provider: ProviderSettings;
  tags: Tags;
}

/** What `wait` needs beyond the deployment's own arguments. */
export interface WaitArgs {
  domain: string;
  instances: pulumi.Input<string>[];
  /** Changes with each replacement or restart of a machine, such as its type. */
  machines: pulumi.Input<string>;
  records: Records;
  /** Addresses that must answer this host; empty where the firewall does not admit everyone. */
  addresses: pulumi.Input<string>[];
  lines: pulumi.Input<string[]>;
  nameServers: pulumi.Input<string[]>;
}

/**
 * The engine's plugins start in the folder of the program, which is this project's or, for a program that imports the components, one
 * inside of it. `mcp-edge` names this project's folder by a variable.
 */
const PUBLISH = [
  'cd "$(printenv MCP_EDGE_ROOT || pwd)"',
  'until [ -e infra/aws/publish.ts ] || [ "$PWD" = / ]; do cd ..; done',
  "exec node --import=./infra/node-check.js infra/aws/publish.ts",
].join(" && ");

/** Another text at each run. */
const ASK = "date +%s%N";

/**
 * What the machines shall run, published by content hash, and the wait for all of them: `pulumi up` shows each machine's
 * steps as they come, and fails with the end of its log when one went back to what it had.
 *
 * ### Cost
 * Nothing besides the bucket's.
 */
export class Deployment extends pulumi.ComponentResource {
  readonly generation: pulumi.Output<string>;
  /** All that is published; a machine may boot then. */
  readonly published: pulumi.Resource[];
  readonly #args: DeploymentArgs;

  readonly #name: string;

  constructor(name: string, args: DeploymentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Deployment", name, {}, opts);
    this.#args = args;
    this.#name = name;
    const { release, files, workspace } = args;
    const archives = [
      this.#upload("release", release.hash, release.archive),
      this.#upload("files", files.hash, files.archive),
      // Named by what is in it: the same commits are packed into other bytes in another checkout, which is no change.
      ...(args.bundle ? [this.#upload("workspace", workspace.identity, args.bundle, ["source"])] : []),
    ];
    const content = pulumi
      .output(args.secrets)
      .apply((secrets) => desired(release.hash, files.hash, workspace.identity, secrets));
    const wanted = new aws.s3.BucketObjectv2(
      `${name}-desired`,
      {
        bucket: args.artifacts.bucket,
        key: "desired.json",
        content: content.apply(desiredText),
        contentType: "application/json",
        tags: named(args.tags, "desired"),
      },
      // Machines look for the archives as soon as they read this.
      { parent: this, dependsOn: [...args.artifacts.guards, ...archives] },
    );
    this.generation = content.generation;
    this.published = [...archives, wanted];
    this.registerOutputs({ generation: this.generation });
  }

  /**
   * Wait until every machine says that it runs this generation, and until it serves under a certificate that clients trust
   * (publish.ts).
   */
  wait(args: WaitArgs, ready: pulumi.Resource[]): command.local.Command {
    const { stack, artifacts, provider, tags } = this.#args;
    const { domain, instances, machines, records, lines, nameServers, addresses } = args;
    const { bucket } = artifacts;
    const certificate = { stack, domain, instances, records, lines, nameServers };
    const wait = {
      bucket,
      generation: this.generation,
      tags: named(tags, "desired"),
      certificate,
      addresses,
    };
    const MCP_EDGE_WAIT = pulumi.jsonStringify(wait);
    // A wait that failed leaves no trace in the state: the way back to the content before it would find nothing to wait for. This
    // one always ends well, so its output changes at each change of what is waited for.
    const asked = new command.local.Command(
      `${this.#name}-awaited`,
      { create: ASK, update: ASK, environment: { WAIT: MCP_EDGE_WAIT, MACHINES: machines } },
      { parent: this },
    );
    const aws = JSON.stringify(provider);
    return new command.local.Command(
      `${this.#name}-converged`,
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

  /**
   * A resource for each content, which is left in the bucket when the program forgets it: the way back may need it. What is
   * old is taken away by publish.ts (prune.ts). One resource whose key is replaced would leave the old object to be deleted when the
   * deployment fails; the next update goes back to that very key, writes it, and then deletes what it has just written.
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
