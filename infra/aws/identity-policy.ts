import type * as aws from "@pulumi/aws";

export interface Surroundings {
  /** Path of the edge's parameters in Systems Manager, such as /mcp-edge/prod/env. */
  parameterPath: string;
  region: string;
  accountId: string;
  bucketArn: string;
  /** ARN of the log group; "": none. */
  logGroupArn: string;
  /** The machine reports its own metrics. */
  metrics: boolean;
}

/** CloudWatch namespace of the machine's own metrics; the role may write into this one alone. */
export const METRICS_NAMESPACE = "mcp-edge";

/** All that a machine may do: read what it deploys and its own parameters, write its status, metrics and logs. Pure. */
export function machinePolicy(around: Surroundings): aws.iam.PolicyDocument {
  const { parameterPath, region, accountId, bucketArn } = around;
  const parameters = `arn:aws:ssm:${region}:${accountId}:parameter${parameterPath}`;
  // After a deletion anybody can create a bucket of that name, and the contents of a foreign bucket would run as root.
  const Condition = { StringEquals: { "aws:ResourceAccount": accountId } };
  const statements: aws.iam.PolicyStatement[] = [
    {
      Sid: "Pull",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: ["desired.json", "releases/*", "files/*", "workspaces/*"].map((key) => `${bucketArn}/${key}`),
      Condition,
    },
    { Sid: "Status", Effect: "Allow", Action: "s3:PutObject", Resource: `${bucketArn}/status/*`, Condition },
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
      // The action takes no resource; the condition limits it (CloudWatch user guide, "condition keys for namespaces").
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

/**
 * What Data Lifecycle Manager may do: create snapshots of this stack's volumes and delete its own snapshots (DLM user guide, "IAM
 * service roles"). The ARN of a snapshot holds no account. Pure.
 */
export function backupPolicy(stack: string): aws.iam.PolicyDocument {
  const own = { StringEquals: { "aws:ResourceTag/Project": "mcp-edge", "aws:ResourceTag/Stack": stack } };
  const snapshots = "arn:aws:ec2:*::snapshot/*";
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Look",
        Effect: "Allow",
        Action: ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"],
        Resource: "*",
      },
      {
        Sid: "Volumes",
        Effect: "Allow",
        Action: "ec2:CreateSnapshot",
        Resource: "arn:aws:ec2:*:*:volume/*",
        Condition: own,
      },
      { Sid: "Make", Effect: "Allow", Action: "ec2:CreateSnapshot", Resource: snapshots },
      {
        Sid: "Tag",
        Effect: "Allow",
        Action: "ec2:CreateTags",
        Resource: snapshots,
        Condition: { StringEquals: { "ec2:CreateAction": "CreateSnapshot" } },
      },
      { Sid: "End", Effect: "Allow", Action: "ec2:DeleteSnapshot", Resource: snapshots, Condition: own },
    ],
  };
}

export const assumedByDlm: aws.iam.PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "dlm.amazonaws.com" }, Action: "sts:AssumeRole" }],
};
