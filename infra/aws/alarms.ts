import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { alarmsOf, type Duty } from "./alarm-table.ts";
import { AUTO_NAMED } from "./auto-name.ts";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface AlarmsArgs {
  region: string;
  domain: pulumi.Input<string>;
  level: "basic" | "full";
  instanceType: string;
  machines: {
    /** The machine's name in resources and in tags (machine-names.ts). */
    machine: string;
    label: string;
    duty: Duty;
    instanceId: pulumi.Input<string>;
  }[];
  /** Route 53's health checkers connect from all over the world. Without ports that are open to all, there is no health check. */
  openToWorld: boolean;
  /** E-mail address for notifications. Default: none, as with "". */
  email?: pulumi.Input<string>;
  tags: Tags;
  /** Tags of the health check, at most ten. */
  ownTags: Tags;
  transform?:
    | { alarm?: Transform<aws.cloudwatch.MetricAlarmArgs>; topic?: Transform<aws.sns.TopicArgs> }
    | undefined;
}

/** Route 53 reports the metrics of its health checks in this region, wherever the machine is. */
const HEALTH_REGION = "us-east-1";

/**
 * Alarms of each machine and a health check of the whole edge from outside. They notify one topic in each region, and `email`.
 *
 * ### Cost
 * 0.10 USD for each alarm a month (2 for each machine, `full`: 9 or 10), 0.30 USD for each of the machine's own metrics (6), 1.50 USD for a
 * health check of an HTTPS endpoint in AWS.
 */
export class Alarms extends pulumi.ComponentResource {
  readonly topic: pulumi.Output<string>;

  constructor(name: string, args: AlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Alarms", name, {}, opts);
    const { region, tags } = args;
    this.topic = this.#topic(`${name}-alarms`, name, args, region);
    for (const { machine, label, duty, instanceId } of args.machines) {
      const alarms = alarmsOf(args.level, args.instanceType, duty);
      for (const { name: kind, action, description, ...spec } of alarms) {
        const itself = action ? [`arn:aws:automate:${region}:ec2:${action}`] : [];
        this.#alarm(`${machine}-alarm-${kind}`, args, {
          ...spec,
          alarmDescription: description,
          dimensions: { InstanceId: instanceId },
          alarmActions: [...itself, this.topic],
          okActions: [this.topic],
          tags: named(tags, `${label}-${kind}`),
        });
      }
    }
    if (args.level === "full" && args.openToWorld) this.#healthCheck(name, args);
    this.registerOutputs({ topic: this.topic });
  }

  #alarm(name: string, { transform }: AlarmsArgs, alarm: aws.cloudwatch.MetricAlarmArgs): void {
    const options = { parent: this, ...AUTO_NAMED };
    new aws.cloudwatch.MetricAlarm(
      ...transformed<aws.cloudwatch.MetricAlarmArgs>(transform?.alarm, name, alarm, options),
    );
  }

  /** Not encrypted with the account's default key: CloudWatch may not use that key, and alarms hold no secret. */
  #topic(name: string, edge: string, args: AlarmsArgs, region: string, aliases: pulumi.Alias[] = []) {
    const { email, tags, transform } = args;
    const topic = new aws.sns.Topic(
      ...transformed<aws.sns.TopicArgs>(
        transform?.topic,
        name,
        { region, tags: named(tags, edge) },
        { parent: this, ...AUTO_NAMED, aliases },
      ),
    );
    if (email) {
      const subscription = { topic: topic.arn, region, protocol: "email", endpoint: email };
      const former = aliases.map((alias) => ({ name: `${alias.name}-mail` }));
      new aws.sns.TopicSubscription(`${name}-mail`, subscription, { parent: this, aliases: former });
    }
    return topic.arn;
  }

  #healthCheck(name: string, args: AlarmsArgs): void {
    const { domain, region, tags } = args;
    const check = new aws.route53.HealthCheck(
      `${name}-health`,
      {
        type: "HTTPS",
        fqdn: domain,
        port: 443,
        resourcePath: "/readyz",
        enableSni: true,
        requestInterval: 30,
        failureThreshold: 3,
        tags: named(args.ownTags, `${name}-health`),
      },
      { parent: this },
    );
    // Not `-health-alarms`: the topic of a stack "x-health" would start with that.
    const former = [{ name: `${name}-health-alarms` }];
    const topic =
      region === HEALTH_REGION
        ? this.topic
        : this.#topic(`${name}-health-topic`, name, args, HEALTH_REGION, former);
    this.#alarm(`${name}-alarm-health`, args, {
      region: HEALTH_REGION,
      alarmDescription: pulumi.interpolate`https://${domain}/readyz does not answer from outside`,
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
      tags: named(tags, `${name}-health`),
    });
  }
}
