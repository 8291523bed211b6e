import * as pulumi from "@pulumi/pulumi";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { gzipUserData, userData } from "../../cloud-init/user-data.ts";
import { writeFilesArchive } from "../files-archive.ts";
import type { Release } from "../release.ts";
import { providerSecretsFile } from "../settings/identity-providers.ts";
import { machineSettings } from "../settings/machine.ts";
import type { LocalSettings } from "../settings.ts";
import type { PreparedWorkspace } from "../workspace.ts";
import { credentialFile } from "../workspace-credentials.ts";
import { LocalAuthority, LocalDeployment, LocalGuest, LocalHosts, LocalNetwork } from "./resources.ts";

export interface LocalEdgeArgs extends PreparedWorkspace {
  settings: LocalSettings;
  release: Release;
}

/**
 * The whole edge on this host: network, certificate authority, machine, deployment and name.
 * The machine is a Debian 13 guest that runs the same cloud-init document as one in the cloud.
 */
export class LocalEdge extends pulumi.ComponentResource {
  readonly url: string;
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  readonly networkIndex: pulumi.Output<number>;
  readonly rootsFile: pulumi.Output<string>;

  constructor(name: string, args: LocalEdgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:local:Edge", name, {}, opts);
    const child = { parent: this };
    const { settings, release, workspace, bundle } = args;
    const { stack, domain } = settings;
    const network = new LocalNetwork(`${name}-network`, { stack }, child);
    const networkIndex = network.index;
    const authority = new LocalAuthority(`${name}-authority`, { stack, networkIndex }, child);

    const forFiles = pulumi.all([authority.acmeServer, authority.serverCa]).apply(([acmeServer, trustedCa]) =>
      machineSettings(settings, {
        acmeServer,
        trustedCa,
        workspace: workspace.source,
        workspaceName: workspace.name,
      }),
    );
    const document = forFiles.apply((machine) =>
      gzipUserData(userData(machine, release.hash), Number.POSITIVE_INFINITY).toString("base64"),
    );
    const files = forFiles.apply((machine) => writeFilesArchive(machineFiles(machine)));
    const { archive: releaseArchive } = release;
    const workspaceCredentials = pulumi.secret(credentialFile(settings));
    const identityProviderSecrets = pulumi.secret(providerSecretsFile(settings.identityProviderSecrets));
    const machine = new LocalGuest(
      `${name}-machine`,
      {
        stack,
        domain,
        networkIndex,
        userData: document,
        releaseArchive,
        workspaceBundle: bundle,
        workspaceCredentials,
        identityProviderSecrets,
        rootsFile: authority.rootsFile,
      },
      child,
    );
    new LocalDeployment(
      `${name}-deployment`,
      {
        stack,
        networkIndex,
        release: release.hash,
        releaseArchive,
        files: files.hash,
        filesArchive: files.archive,
        workspaceHead: workspace.identity,
        workspaceBundle: bundle,
        workspaceCredentials,
        identityProviderSecrets,
      },
      { ...child, dependsOn: machine },
    );
    const addresses = [machine.ipv4, machine.ipv6];
    const names = [domain, settings.tokenDomain].filter(Boolean).join(" ");
    new LocalHosts(`${name}-hosts`, { stack, names, addresses }, child);

    this.url = `https://${domain}/mcp`;
    this.ipv4 = machine.ipv4;
    this.ipv6 = machine.ipv6;
    this.networkIndex = networkIndex;
    this.rootsFile = authority.rootsFile;
    const { url, ipv4, ipv6, rootsFile } = this;
    this.registerOutputs({ url, ipv4, ipv6, networkIndex, rootsFile });
  }
}
