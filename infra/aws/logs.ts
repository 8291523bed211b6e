import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { named, type Tags } from "./tags.ts";

export interface LogsArgs {
  stack: string;
  /** Days; default of the settings: 30. */
  retentionDays: number;
  tags: Tags;
}

/** Log group of a stack; each machine writes the streams `<instance>/journal` and `<instance>/access`. */
export const logGroupName = (stack: string) => `/mcp-edge/${stack}`;

/**
 * The log group for the machines' journals and NGINX's access logs (setting `logs: cloudwatch`).
 *
 * ### Cost
 * 0.50 USD/GB that comes in, 0.03 USD/GB and month that stays: 1 GB a month 0.53 USD.
 */
export class Logs extends pulumi.ComponentResource {
  readonly groupArn: pulumi.Output<string>;

  constructor(name: string, args: LogsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Logs", name, {}, opts);
    const group = new aws.cloudwatch.LogGroup(
      `${args.stack}-logs`,
      {
        name: logGroupName(args.stack),
        retentionInDays: args.retentionDays,
        tags: named(args.tags, `mcp-edge-${args.stack}`),
      },
      { parent: this },
    );
    this.groupArn = group.arn;
    this.registerOutputs({ groupArn: this.groupArn });
  }
}
