import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface LogsArgs {
  /** Name of the group. It is not generated, since machines get it at their first boot, even if logs are enabled later. */
  groupName: pulumi.Input<string>;
  /** Days; default of the settings: 30. */
  retentionDays: pulumi.Input<number>;
  tags: Tags;
  transform?: { logGroup?: Transform<aws.cloudwatch.LogGroupArgs> } | undefined;
}

/**
 * The log group for the machines' journals and the access logs of NGINX or Caddy (setting `logs: cloudwatch`). Each machine writes the streams
 * `<instance>/journal` and `<instance>/access`.
 *
 * ### Cost
 * 0.50 USD/GB ingested, 0.03 USD/GB stored a month: 0.53 USD for 1 GB a month.
 */
export class Logs extends pulumi.ComponentResource {
  readonly groupArn: pulumi.Output<string>;

  constructor(name: string, args: LogsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Logs", name, {}, opts);
    const group = new aws.cloudwatch.LogGroup(
      ...transformed<aws.cloudwatch.LogGroupArgs>(
        args.transform?.logGroup,
        `${name}-logs`,
        { name: args.groupName, retentionInDays: args.retentionDays, tags: named(args.tags, name) },
        { parent: this },
      ),
    );
    this.groupArn = group.arn;
    this.registerOutputs({ groupArn: this.groupArn });
  }
}
