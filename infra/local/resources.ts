import * as pulumi from "@pulumi/pulumi";
import type { DeploymentInputs } from "./deployment.ts";
import type { MachineInputs } from "./machine.ts";

/**
 * The program text that the engine stores with each local resource and hands to the SDK's dynamic-provider process. It only loads
 * provider.ts.
 *
 * `pulumi.dynamic.Resource` would serialise functions instead. For the SDK each edit of a function is a changed provider, which replaces
 * the resource: a changed comment would replace a machine. For the same reason this text must never change. Besides, the serialiser
 * needs the JavaScript API that TypeScript 7 no longer has.
 */
const providerText = (kind: string) => `exports.handler = () => {
  const { existsSync } = require("node:fs");
  const { dirname, join } = require("node:path");
  const { pathToFileURL } = require("node:url");
  const at = (folder) => join(folder, "infra/local/provider.ts");
  const find = (folder) => existsSync(at(folder)) ? at(folder) : dirname(folder) === folder ? undefined : find(dirname(folder));
  const load = async () => {
    const file = find(process.env.MCP_EDGE_ROOT || process.cwd());
    if (!file) throw new Error("infra/local/provider.ts was not found above " + process.cwd());
    return (await import(pathToFileURL(file))).provider(${JSON.stringify(kind)});
  };
  const call = (method) => async (...args) => (await load())[method](...args);
  return { create: call("create"), diff: call("diff"), update: call("update"), read: call("read"), delete: call("delete") };
};`;

/** Kept encrypted in the state. */
const hiding = (opts: pulumi.CustomResourceOptions) => ({
  ...opts,
  additionalSecretOutputs: ["workspaceCredentials", "identityProviderSecrets"],
});

type Inputs<T> = { [K in keyof T]: pulumi.Input<T[K]> };
type Outputs<T> = { [K in keyof T]: undefined };

/** A resource of the host on which this program runs. Its provider is the kind of that name in provider.ts. */
class LocalResource extends pulumi.CustomResource {
  constructor(
    kind: string,
    name: string,
    inputs: pulumi.Inputs,
    outputs: Outputs<object>,
    opts: pulumi.CustomResourceOptions,
  ) {
    const type = `pulumi-nodejs:dynamic/local:${kind[0]?.toUpperCase()}${kind.slice(1)}`;
    const properties = { ...inputs, ...outputs, __provider: providerText(kind) };
    super(type, name, properties, { ...opts, deleteBeforeReplace: true });
  }
}

/** A bridge with IPv4 and IPv6 and NAT, on the first free range of 10.77.0.0/16. */
export class LocalNetwork extends LocalResource {
  declare readonly index: pulumi.Output<number>;
  constructor(name: string, args: { stack: string }, opts: pulumi.CustomResourceOptions) {
    super(
      "network",
      name,
      args,
      { index: undefined, bridge: undefined, net4: undefined, net6: undefined },
      opts,
    );
  }
}

/** Pebble, an ACME server for tests, with its DNS server. */
export class LocalAuthority extends LocalResource {
  declare readonly acmeServer: pulumi.Output<string>;
  declare readonly serverCa: pulumi.Output<string>;
  declare readonly rootsFile: pulumi.Output<string>;
  constructor(
    name: string,
    args: { stack: string; networkIndex: pulumi.Input<number> },
    opts: pulumi.CustomResourceOptions,
  ) {
    const outputs = { acmeServer: undefined, serverCa: undefined, rootsFile: undefined };
    super("authority", name, args, outputs, opts);
  }
}

/** A Debian 13 guest in systemd-nspawn, set up by cloud-init. */
export class LocalGuest extends LocalResource {
  declare readonly ipv4: pulumi.Output<string>;
  declare readonly ipv6: pulumi.Output<string>;
  constructor(name: string, args: Inputs<MachineInputs>, opts: pulumi.CustomResourceOptions) {
    super("machine", name, { ...args }, { ipv4: undefined, ipv6: undefined, name: undefined }, hiding(opts));
  }
}

/** Release, machine files and workspace on a running machine, updated in place. */
export class LocalDeployment extends LocalResource {
  constructor(name: string, args: Inputs<DeploymentInputs>, opts: pulumi.CustomResourceOptions) {
    super("deployment", name, { ...args }, {}, hiding(opts));
  }
}

/** Lines in this host's /etc/hosts, with which every client on this host finds the machine by its name. */
export class LocalHosts extends LocalResource {
  constructor(
    name: string,
    args: { stack: string; names: string; addresses: pulumi.Input<string>[] },
    opts: pulumi.CustomResourceOptions,
  ) {
    super("hosts", name, args, {}, opts);
  }
}
