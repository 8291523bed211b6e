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
  /** The machine runs the server: it reads releases, the workspace and the parameters. Default: true. */
  server?: boolean;
  /** Id of the Route 53 zone in which the machine proves its names (dns-01). "": over HTTP. */
  challengeZone?: string;
  /** The names that it proves. */
  names?: string[];
}

/** CloudWatch namespace of the machine's own metrics, the only one that the role may write. */
export const METRICS_NAMESPACE = "mcp-edge";

type Statement = aws.iam.PolicyStatement;

const allow = (
  Sid: string,
  Action: Statement["Action"],
  Resource: Statement["Resource"],
  Condition?: Statement["Condition"],
): Statement => ({ Sid, Effect: "Allow", Action, Resource, ...(Condition ? { Condition } : {}) });

const assumedBy = (Service: string): aws.iam.PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }],
});

/** The records of the challenge and no others (Route 53 developer guide, "specifying conditions"); no request reads the zone. */
const challengeStatements = ({ challengeZone, names = [] }: Surroundings): Statement[] => [
  allow("Challenge", "route53:ChangeResourceRecordSets", `arn:aws:route53:::hostedzone/${challengeZone}`, {
    "ForAllValues:StringEquals": {
      "route53:ChangeResourceRecordSetsNormalizedRecordNames": names.map((name) => `_acme-challenge.${name}`),
      "route53:ChangeResourceRecordSetsRecordTypes": ["TXT"],
      "route53:ChangeResourceRecordSetsActions": ["UPSERT", "DELETE"],
    },
  }),
  allow("ChallengeSpread", "route53:GetChange", "arn:aws:route53:::change/*"),
];

/**
 * The permissions of a machine: read its deployment and its parameters, write its status, metrics and logs. Pure.
 *
 * An edge that only forwards packets reads its files alone: it has no key, no token and no parameter that somebody could steal from it.
 */
export function machinePolicy(around: Surroundings): aws.iam.PolicyDocument {
  const { parameterPath, region, accountId, bucketArn, logGroupArn, server = true } = around;
  const parameters = `arn:aws:ssm:${region}:${accountId}:parameter${parameterPath}`;
  const pulled = [
    "desired.json",
    ...(server ? ["releases/*"] : []),
    "files/*",
    ...(server ? ["workspaces/*"] : []),
  ];
  // After a deletion anybody can create a bucket of that name, and the contents of a foreign bucket would run as root.
  const own = { StringEquals: { "aws:ResourceAccount": accountId } };
  const statements = [
    allow(
      "Pull",
      "s3:GetObject",
      pulled.map((key) => `${bucketArn}/${key}`),
      own,
    ),
    allow("Status", "s3:PutObject", `${bucketArn}/status/*`, own),
    ...(server ? [allow("Secrets", "ssm:GetParametersByPath", [parameters, `${parameters}/*`])] : []),
  ];
  // The action takes no resource; the condition limits it (CloudWatch user guide, "condition keys for namespaces").
  const namespace = { StringEquals: { "cloudwatch:namespace": METRICS_NAMESPACE } };
  if (around.metrics) statements.push(allow("Metrics", "cloudwatch:PutMetricData", "*", namespace));
  if (around.challengeZone) statements.push(...challengeStatements(around));
  if (logGroupArn)
    statements.push(allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], `${logGroupArn}:*`));
  return { Version: "2012-10-17", Statement: statements };
}

export const assumedByEc2 = assumedBy("ec2.amazonaws.com");

/**
 * What Data Lifecycle Manager may do: create snapshots of this stack's volumes and delete its own snapshots (DLM user guide, "IAM
 * service roles"). The ARN of a snapshot holds no account. Pure.
 */
export function backupPolicy(stack: string): aws.iam.PolicyDocument {
  const own = { StringEquals: { "aws:ResourceTag/Project": "mcp-edge", "aws:ResourceTag/Stack": stack } };
  const creating = { StringEquals: { "ec2:CreateAction": "CreateSnapshot" } };
  const snapshots = "arn:aws:ec2:*::snapshot/*";
  const look = ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"];
  return {
    Version: "2012-10-17",
    Statement: [
      allow("Look", look, "*"),
      allow("Volumes", "ec2:CreateSnapshot", "arn:aws:ec2:*:*:volume/*", own),
      allow("Make", "ec2:CreateSnapshot", snapshots),
      allow("Tag", "ec2:CreateTags", snapshots, creating),
      allow("End", "ec2:DeleteSnapshot", snapshots, own),
    ],
  };
}

export const assumedByDlm = assumedBy("dlm.amazonaws.com");
