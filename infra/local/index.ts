import * as pulumi from "@pulumi/pulumi";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { type MachineKind, rolesOf, serverKind } from "../../cloud-init/topology.ts";
import { gzipUserData, userData } from "../../cloud-init/user-data.ts";
import { writeFilesArchive } from "../files-archive.ts";
import type { Release } from "../release.ts";
import { providerSecretsFile } from "../settings/identity-providers.ts";
import { machineSettings } from "../settings/machine.ts";
import type { LocalSettings } from "../settings.ts";
import type { PreparedWorkspace } from "../workspace.ts";
import { credentialFile } from "../workspace-credentials.ts";
import { forwarderOf } from "./guest.ts";
import { networkOf, originAddress } from "./network.ts";
import { LocalAuthority, LocalDeployment, LocalGuest, LocalHosts, LocalNetwork } from "./resources.ts";

interface ForwarderFiles {
  files: pulumi.Output<string>;
  filesArchive: pulumi.Output<string>;
}

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

    const { edge } = settings;
    const isOrigin = serverKind(edge) === "origin";
    const forFiles = pulumi
      .all([authority.acmeServer, authority.serverCa, networkIndex])
      .apply(([acmeServer, trustedCa, index]) =>
        machineSettings(settings, {
          acmeServer,
          trustedCa,
          workspace: workspace.source,
          workspaceName: workspace.name,
          ...(isOrigin ? { originMachine: originAddress(networkOf(index)) } : {}),
        }),
      );
    /** What a machine is made from, and what a deployment brings to it. */
    const render = (kind: MachineKind, firstRelease: string) => {
      const roles = rolesOf(edge, kind);
      const document = forFiles.apply((machine) =>
        gzipUserData(userData(machine, firstRelease, roles), Number.POSITIVE_INFINITY).toString("base64"),
      );
      const files = forFiles.apply((machine) => writeFilesArchive(machineFiles(machine, roles)));
      return { document, files: files.hash, filesArchive: files.archive };
    };
    const { document, ...files } = render(serverKind(edge), release.hash);
    const forwarder = isOrigin
      ? this.forwarder(name, stack, domain, { network, authority }, render)
      : undefined;
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
        isOrigin,
      },
      // An origin reaches the certificate authority through the forwarder.
      { ...child, ...(forwarder ? { dependsOn: forwarder } : {}) },
    );
    new LocalDeployment(
      `${name}-deployment`,
      {
        stack,
        networkIndex,
        release: release.hash,
        releaseArchive,
        ...files,
        workspaceHead: workspace.identity,
        workspaceBundle: bundle,
        workspaceCredentials,
        identityProviderSecrets,
      },
      { ...child, dependsOn: machine },
    );
    const { ipv4: public4, ipv6: public6 } = forwarder ?? machine;
    const addresses = [public4, public6];
    const names = [domain, settings.tokenDomain].filter(Boolean).join(" ");
    new LocalHosts(`${name}-hosts`, { stack, names, addresses }, child);

    this.url = `https://${domain}/mcp`;
    this.ipv4 = public4;
    this.ipv6 = public6;
    this.networkIndex = networkIndex;
    this.rootsFile = authority.rootsFile;
    const { url, ipv4, ipv6, rootsFile } = this;
    this.registerOutputs({ url, ipv4, ipv6, networkIndex, rootsFile });
  }

  /** The machine in front of an origin: files alone, no release, no data. */
  private forwarder(
    name: string,
    stack: string,
    domain: string,
    { network, authority }: { network: LocalNetwork; authority: LocalAuthority },
    render: (kind: MachineKind, release: string) => { document: pulumi.Output<string> } & ForwarderFiles,
  ): LocalGuest {
    const { document, ...files } = render("edge", "");
    const nothing = { workspaceBundle: "", workspaceCredentials: "", identityProviderSecrets: "" };
    const common = { stack: forwarderOf(stack), networkIndex: network.index, releaseArchive: "", ...nothing };
    const guest = new LocalGuest(
      `${name}-forwarder`,
      { ...common, domain, userData: document, rootsFile: authority.rootsFile },
      { parent: this },
    );
    new LocalDeployment(
      `${name}-forwarder-deployment`,
      { ...common, ...files, release: "", workspaceHead: "" },
      { parent: this, dependsOn: guest },
    );
    return guest;
  }
}
