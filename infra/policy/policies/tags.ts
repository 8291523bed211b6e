import { objectOf } from "../known.ts";
import { about, type EdgePolicy } from "../policy.ts";

const NEEDED_TAGS = ["Project", "Stack", "Environment", "ManagedBy"] as const;

/** Types of resources that can be tagged: those that the program creates, and likely later ones. */
export const TAGGED = new Set([
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:dlm/lifecyclePolicy:LifecyclePolicy",
  "aws:ebs/volume:Volume",
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
  "aws:ec2/eip:Eip",
  "aws:ec2/instance:Instance",
  "aws:ec2/internetGateway:InternetGateway",
  "aws:ec2/launchTemplate:LaunchTemplate",
  "aws:ec2/networkInterface:NetworkInterface",
  "aws:ec2/routeTable:RouteTable",
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/vpc:Vpc",
  "aws:ec2/vpcEndpoint:VpcEndpoint",
  "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint",
  "aws:iam/instanceProfile:InstanceProfile",
  "aws:iam/policy:Policy",
  "aws:iam/role:Role",
  "aws:route53/healthCheck:HealthCheck",
  "aws:route53/zone:Zone",
  "aws:s3/bucket:Bucket",
  "aws:sns/topic:Topic",
  "aws:ssm/parameter:Parameter",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
]);

export const tags: EdgePolicy = ({ environment }) => ({
  ...about({
    name: "tags",
    severity: "low",
    description: `Every resource that can be tagged has the tags ${NEEDED_TAGS.join(", ")}, and Environment is that of the stack.`,
    reason: "bills, the deployer's permissions and the search for leftovers depend on them.",
    fix: "Set tags: tagsOf(…) from infra/aws/tags.ts.",
  }),
  validateResource: ({ type, name, props, provider }, report) => {
    if (!TAGGED.has(type)) return;
    // Default tags are an input of the provider: the resource gets them without naming them itself.
    const all = { ...objectOf(objectOf(provider?.props.defaultTags).tags), ...objectOf(props.tags) };
    const missing = NEEDED_TAGS.filter((tag) => !all[tag]);
    if (missing.length > 0) report(`${name} lacks ${missing.join(", ")}`);
    if (all.Environment && all.Environment !== environment) {
      report(`${name} has the tag Environment=${all.Environment}, but the environment is ${environment}`);
    }
  },
});
