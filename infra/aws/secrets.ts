import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { CREDENTIALS_PARAMETER } from "../workspace-credentials.ts";
import { parameterPath } from "./identity-policy.ts";
import { named, type Tags } from "./tags.ts";

export interface SecretsArgs {
  stack: string;
  /** Environment of the server by name; secret. */
  secrets: Record<string, string>;
  /** What the machine gets for a private workspace; secret; "": nothing. */
  workspaceCredentials: string;
  tags: Tags;
}

/**
 * Secret environment of the server: SSM parameters of the kind SecureString, which the machine reads at boot and at each
 * deployment. Never in user-data, which every process on the machine could read.
 *
 * ### Cost
 * Nothing: standard parameters, encrypted with the account's key for SSM.
 */
export class Secrets extends pulumi.ComponentResource {
  /** Names and versions: changes whenever a secret does, and tells nothing of it. */
  readonly versions: pulumi.Output<string>;

  constructor(name: string, args: SecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Secrets", name, {}, opts);
    const { stack, tags } = args;
    const all = {
      ...args.secrets,
      ...(args.workspaceCredentials ? { [CREDENTIALS_PARAMETER]: args.workspaceCredentials } : {}),
    };
    const parameters = Object.entries(all).map(([key, value]) => {
      const parameter = new aws.ssm.Parameter(
        `${stack}-secret-${key}`,
        {
          name: `${parameterPath(stack)}/${key}`,
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
