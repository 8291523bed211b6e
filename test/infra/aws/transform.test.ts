import { beforeAll, describe, expect, test } from "@jest/globals";
import type * as pulumi from "@pulumi/pulumi";
import type { AwsEdgeTransform } from "../../../infra/aws/index.ts";
import { Program } from "./program.ts";

/** The type that each key of `transform` changes. */
const KINDS: Record<keyof AwsEdgeTransform, string> = {
  vpc: "ec2/vpc:Vpc",
  subnet: "ec2/subnet:Subnet",
  instance: "ec2/instance:Instance",
  networkInterface: "ec2/networkInterface:NetworkInterface",
  address: "ec2/eip:Eip",
  securityGroup: "ec2/securityGroup:SecurityGroup",
  volume: "ebs/volume:Volume",
  role: "iam/role:Role",
  bucket: "s3/bucket:Bucket",
  logGroup: "cloudwatch/logGroup:LogGroup",
  alarm: "cloudwatch/metricAlarm:MetricAlarm",
  topic: "sns/topic:Topic",
  zone: "route53/zone:Zone",
  record: "route53/record:Record",
};
const EVERYTHING = {
  zone: "example.com",
  hostedZone: "create",
  alarms: "full",
  alarmEmail: "ops@example.com",
  logs: "cloudwatch",
  backups: "7",
};

describe("transform", () => {
  let program: Program;
  const calls: { kind: string; name: string; parent: boolean }[] = [];
  beforeAll(async () => {
    const mark = (kind: string) => (args: object, opts: pulumi.CustomResourceOptions, name: string) => {
      calls.push({ kind, name, parent: opts.parent !== undefined });
      Object.assign(args, kind === "record" ? { ttl: 60 } : { tags: { Marked: kind } });
    };
    const transform = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, mark(kind)]));
    program = await Program.run(EVERYTHING, "prod", "eu-central-1", transform as AwsEdgeTransform);
  });

  test.each(Object.entries(KINDS))("as a function changes each %s before it is created", (kind, type) => {
    const own = calls.filter((call) => call.kind === kind);
    expect(own.length).toBeGreaterThan(0);
    for (const { name, parent } of own) {
      expect(parent).toBe(true);
      const inputs = program.all(type).find((resource) => resource.name === name)?.inputs;
      expect(inputs).toMatchObject(kind === "record" ? { ttl: 60 } : { tags: { Marked: kind } });
    }
  });

  test("as an object is merged over the component's own arguments", async () => {
    const plain = await Program.run();
    const own = plain.one("ebs/volume:Volume");
    const kmsKeyId = "arn:aws:kms:eu-central-1:111122223333:key/1";
    const changed = await Program.run({}, "prod", "eu-central-1", { volume: { kmsKeyId } });
    expect(changed.one("ebs/volume:Volume")).toEqual({ ...own, kmsKeyId });
  });
});
