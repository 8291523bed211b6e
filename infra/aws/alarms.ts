import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { alarmsOf } from "./alarm-table.ts";
import { named, type Tags } from "./tags.ts";

export interface AlarmsArgs {
  stack: string;
  region: string;
  domain: string;
  level: "basic" | "full";
  instanceType: string;
  /** Names (machine-names.ts) and id of each machine. */
  machines: { machine: string; label: string; instanceId: pulumi.Input<string> }[];
  /** Route 53's checkers come from the whole world; without it there is no health check. */
  openToWorld: boolean;
  /** Default "": nobody. */
  email: string;
  tags: Tags;
  /** For the health check: Route 53 takes ten. */
  ownTags: Tags;
}

/** Route 53 puts the metrics of its health checks here, wherever the machine is. */
const HEALTH_REGION = "us-east-1";

/**
 * Alarms of each machine, and a health check of the whole edge from outside, to one topic a region, with a mail for whoever
 * wants it.
 *
 * ### Cost
 * 0.10 USD an alarm and month (2 a machine, `full`: 7), metrics of the machine's own 0.30 USD each (4); a health check of an
 * HTTPS endpoint in AWS 1.50 USD.
 */
export class Alarms extends pulumi.ComponentResource {
  readonly topic: pulumi.Output<string>;

  constructor(name: string, args: AlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Alarms", name, {}, opts);
    const { stack, region, tags } = args;
    this.topic = this.#topic(`${stack}-alarms`, args, region);
    for (const { machine, label, instanceId } of args.machines) {
      for (const { name, action, description, ...spec } of alarmsOf(args.level, args.instanceType)) {
        const itself = action ? [`arn:aws:automate:${region}:ec2:${action}`] : [];
        new aws.cloudwatch.MetricAlarm(
          `${machine}-alarm-${name}`,
          {
            ...spec,
            name: `mcp-edge-${label}-${name}`,
            alarmDescription: description,
            dimensions: { InstanceId: instanceId },
            alarmActions: [...itself, this.topic],
            okActions: [this.topic],
            tags: named(tags, `mcp-edge-${label}-${name}`),
          },
          { parent: this },
        );
      }
    }
    if (args.level === "full" && args.openToWorld) this.#healthCheck(args);
    this.registerOutputs({ topic: this.topic });
  }

  /** Not encrypted by the account's default key: CloudWatch may not use that one, and alarms hold no secret. */
  #topic(name: string, { stack, email, tags }: AlarmsArgs, region: string): pulumi.Output<string> {
    const child = { parent: this };
    const label = `mcp-edge-${stack}`;
    const topic = new aws.sns.Topic(name, { name: label, region, tags: named(tags, label) }, child);
    if (email) {
      const subscription = { topic: topic.arn, region, protocol: "email", endpoint: email };
      new aws.sns.TopicSubscription(`${name}-mail`, subscription, child);
    }
    return topic.arn;
  }

  #healthCheck(args: AlarmsArgs): void {
    const { stack, domain, region, tags } = args;
    const child = { parent: this };
    const name = `mcp-edge-${stack}-health`;
    const check = new aws.route53.HealthCheck(
      `${stack}-health`,
      {
        type: "HTTPS",
        fqdn: domain,
        port: 443,
        resourcePath: "/readyz",
        enableSni: true,
        requestInterval: 30,
        failureThreshold: 3,
        tags: named(args.ownTags, name),
      },
      child,
    );
    const topic =
      region === HEALTH_REGION ? this.topic : this.#topic(`${stack}-health-alarms`, args, HEALTH_REGION);
    new aws.cloudwatch.MetricAlarm(
      `${stack}-alarm-health`,
      {
        region: HEALTH_REGION,
        name,
        alarmDescription: `https://${domain}/readyz does not answer from outside`,
        namespace: "AWS/Route53",
        metricName: "HealthCheckStatus",
        dimensions: { HealthCheckId: check.id },
        statistic: "Minimum",
        comparisonOperator: "LessThanThreshold",
        threshold: 1,
        period: 60,
        evaluationPeriods: 2,
        treatMissingData: "breaching",
        alarmActions: [topic],
        okActions: [topic],
        tags: named(tags, name),
      },
      child,
    );
  }
}
