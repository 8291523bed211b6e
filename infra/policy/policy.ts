import type {
  Policy,
  ReportViolation,
  ResourceValidation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { PolicyContext } from "./context.ts";

/** The documentation of a policy: `description` is the rule, `reason` is why it exists, `fix` is what to do about a violation. */
export interface About {
  /** Stable: configurations of the policy pack refer to it. */
  name: string;
  severity: NonNullable<Policy["severity"]>;
  description: string;
  reason: string;
  fix: string;
}

export type EdgePolicy = (context: PolicyContext) => ResourceValidationPolicy | StackValidationPolicy;

/** Everything of a policy except its check. */
export function about({ reason, fix, description, ...rest }: About): Policy {
  // The engine prints the description with each violation, but never the remediation steps.
  return { ...rest, description: `${description} Why: ${reason} Fix: ${fix}`, remediationSteps: fix };
}

type Check = (
  props: ResourceValidationArgs["props"],
  args: ResourceValidationArgs,
  report: ReportViolation,
) => void;

/** A check of the resources of one type token. The SDK's own helper would load all of @pulumi/aws for its class. */
export function on(type: string, check: Check): ResourceValidation {
  return (args, report) => {
    if (args.type === type) check(args.props, args, report);
  };
}

/** Type tokens of the AWS provider, as the engine names resources. */
export const TYPE = {
  alarm: "aws:cloudwatch/metricAlarm:MetricAlarm",
  bucket: "aws:s3/bucket:Bucket",
  bucketAcl: "aws:s3/bucketAcl:BucketAcl",
  bucketEncryption: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  bucketPolicy: "aws:s3/bucketPolicy:BucketPolicy",
  bucketVersioning: "aws:s3/bucketVersioning:BucketVersioning",
  defaultSecurityGroup: "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
  eip: "aws:ec2/eip:Eip",
  eipAssociation: "aws:ec2/eipAssociation:EipAssociation",
  ingress: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  instance: "aws:ec2/instance:Instance",
  instanceProfile: "aws:iam/instanceProfile:InstanceProfile",
  launchTemplate: "aws:ec2/launchTemplate:LaunchTemplate",
  networkInterface: "aws:ec2/networkInterface:NetworkInterface",
  parameter: "aws:ssm/parameter:Parameter",
  policy: "aws:iam/policy:Policy",
  publicAccessBlock: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  record: "aws:route53/record:Record",
  role: "aws:iam/role:Role",
  rolePolicy: "aws:iam/rolePolicy:RolePolicy",
  rolePolicyAttachment: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  route: "aws:ec2/route:Route",
  routeTableAssociation: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  securityGroup: "aws:ec2/securityGroup:SecurityGroup",
  securityGroupRule: "aws:ec2/securityGroupRule:SecurityGroupRule",
  subnet: "aws:ec2/subnet:Subnet",
  volume: "aws:ebs/volume:Volume",
  zone: "aws:route53/zone:Zone",
} as const;
