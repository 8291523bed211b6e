import type * as aws from "@pulumi/aws";
import { parameterPath } from "./secrets.ts";

export interface Surroundings {
  stack: string;
  region: string;
  accountId: string;
  bucketArn: string;
  /** ARN of the log group; "": no logs go there. */
  logGroupArn: string;
  /** The machine reports metrics of its own. */
  metrics: boolean;
}

/** CloudWatch namespace of the machine's own metrics; the role may write into this one alone. */
export const METRICS_NAMESPACE = "mcp-edge";

/**
 * What a machine may do, and no more: read what it deploys and its own parameters, write its status, its metrics, its logs.
 * Pure.
 */
export function machinePolicy(around: Surroundings): aws.iam.PolicyDocument {
  const { stack, region, accountId, bucketArn } = around;
  const parameters = `arn:aws:ssm:${region}:${accountId}:parameter${parameterPath(stack)}`;
  const statements: aws.iam.PolicyStatement[] = [
    {
      Sid: "Pull",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: ["desired.json", "releases/*", "files/*", "workspaces/*"].map((key) => `${bucketArn}/${key}`),
    },
    { Sid: "Status", Effect: "Allow", Action: "s3:PutObject", Resource: `${bucketArn}/status/*` },
    {
      Sid: "Secrets",
      Effect: "Allow",
      Action: "ssm:GetParametersByPath",
      Resource: [parameters, `${parameters}/*`],
    },
  ];
  if (around.metrics) {
    statements.push({
      Sid: "Metrics",
      Effect: "Allow",
      Action: "cloudwatch:PutMetricData",
      // The action knows no resources; the condition confines it (CloudWatch user guide, "condition keys for namespaces").
      Resource: "*",
      Condition: { StringEquals: { "cloudwatch:namespace": METRICS_NAMESPACE } },
    });
  }
  if (around.logGroupArn) {
    statements.push({
      Sid: "Logs",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: `${around.logGroupArn}:*`,
    });
  }
  return { Version: "2012-10-17", Statement: statements };
}

export const assumedByEc2: aws.iam.PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
};
