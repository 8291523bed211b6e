import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { PROVIDER_SECRETS_PARAMETER } from "../settings/identity-providers.ts";
import { CREDENTIALS_PARAMETER } from "../workspace-credentials.ts";
import { named, type Tags } from "./tags.ts";

export interface SecretsArgs {
  /** Path of the parameters, such as /mcp-edge/prod/env. */
  parameterPath: pulumi.Input<string>;
  /** Environment of the server by name. The values are marked secret here. */
  secrets: Record<string, pulumi.Input<string>>;
  /** What the machine needs to fetch a private workspace, marked secret here. Default, as "": nothing. */
  workspaceCredentials?: pulumi.Input<string>;
  /** Client secrets of identity providers, as the server reads them, marked secret here. Default, as "": none. */
  identityProviderSecrets?: pulumi.Input<string>;
  tags: Tags;
}

/**
 * The server's secret environment variables: SSM parameters of the type SecureString, which the machine reads at boot and at each
 * deployment. They are never in user-data, which every process on the machine can read.
 *
 * ### Cost
 * Nothing: standard parameters, encrypted with the account's key for SSM.
 */
export class Secrets extends pulumi.ComponentResource {
  /** Names and versions of the parameters. It changes with each secret and does not reveal any. */
  readonly versions: pulumi.Output<string>;

  constructor(name: string, args: SecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Secrets", name, {}, opts);
    const { tags } = args;
    const all = {
      ...args.secrets,
      ...(args.workspaceCredentials ? { [CREDENTIALS_PARAMETER]: args.workspaceCredentials } : {}),
      ...(args.identityProviderSecrets ? { [PROVIDER_SECRETS_PARAMETER]: args.identityProviderSecrets } : {}),
    };
    const parameters = Object.entries(all).map(([key, value]) => {
      const parameter = new aws.ssm.Parameter(
        `${name}-secret-${key}`,
        {
          name: pulumi.interpolate`${args.parameterPath}/${key}`,
          type: "SecureString",
          value: pulumi.secret(value),
          description: "Environment of the mcp-edge server",
          tags: named(tags, key),
        },
        { parent: this, additionalSecretOutputs: ["value"] },
      );
      return pulumi.interpolate`${key}=${parameter.version}`;
    });
    this.versions = pulumi.all(parameters).apply((all) => all.sort().join(" "));
    this.registerOutputs({ versions: this.versions });
  }
}
