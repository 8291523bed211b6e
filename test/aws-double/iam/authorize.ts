import { type Account, ApiError } from "../kind.ts";
import { type Props, same, text } from "../values.ts";
import { type Call, type Calls, call, type Subject, tagCalls } from "./calls.ts";
import { EC2_CALLS } from "./calls-ec2.ts";
import { OTHER_CALLS } from "./calls-others.ts";
import { STORAGE_CALLS } from "./calls-storage.ts";
import { allowed } from "./evaluate.ts";
import { policiesOf } from "./principal.ts";

const CALLS: Record<string, Calls> = { ...EC2_CALLS, ...OTHER_CALLS, ...STORAGE_CALLS };

/** The requests of a kind. @throws Error for a kind without known requests, whose policies cannot be checked */
export function callsOf(token: string): Calls {
  const found = CALLS[token];
  if (!found)
    throw new Error(
      `The double's IAM does not know what the provider calls for ${token}: add it in test/aws-double/iam/`,
    );
  return found;
}

/** The requests of an update: what changed, then the tags. */
export function updateCalls(token: string, subject: Subject, before: Props): Call[] {
  const kind = callsOf(token);
  const keys = new Set([...Object.keys(before), ...Object.keys(subject.inputs)]);
  const changed = new Set(
    [...keys].filter(
      (key) => key !== "tags" && !key.startsWith("__") && !same(before[key], subject.inputs[key]),
    ),
  );
  // If only the tags of an object change, it has its own request. Other kinds send none without a change.
  const own = changed.size > 0 || !kind.tags ? (kind.change?.(subject, before, changed) ?? []) : [];
  return [...own, ...tagCalls(kind, subject, before)];
}

/** The requests of the data sources. */
const INVOKES: Record<string, (args: Props, aws: Account) => Call[]> = {
  // GetCallerIdentity needs no permission.
  "aws:index/getCallerIdentity:getCallerIdentity": () => [],
  "aws:index/getRegion:getRegion": () => [],
  "aws:index/getPartition:getPartition": () => [],
  "aws:iam/getPolicyDocument:getPolicyDocument": () => [],
  "aws:index/getAvailabilityZones:getAvailabilityZones": () => [call("ec2:DescribeAvailabilityZones")],
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": () => [
    call("ec2:DescribeInstanceTypeOfferings"),
  ],
  "aws:ec2/getVpc:getVpc": () => [call("ec2:DescribeVpcs"), call("ec2:DescribeVpcAttribute")],
  "aws:ec2/getSubnet:getSubnet": () => [call("ec2:DescribeSubnets")],
  "aws:ec2/getSubnets:getSubnets": () => [call("ec2:DescribeSubnets")],
  "aws:ssm/getParameter:getParameter": (args, aws) => {
    const name = text(args, "name");
    const account = name.startsWith("/aws/service/") ? "" : aws.account;
    return [call("ssm:GetParameter", `arn:${aws.partition}:ssm:${aws.region}:${account}:parameter${name}`)];
  },
  "aws:route53/getZone:getZone": () => [
    call("route53:ListHostedZones"),
    call("route53:GetHostedZone", "arn:aws:route53:::hostedzone/Z0"),
    call("route53:ListTagsForResource", "arn:aws:route53:::hostedzone/Z0"),
  ],
};

export const invokeCalls = (token: string, args: Props, aws: Account): Call[] =>
  INVOKES[token]?.(args, aws) ?? [];

/**
 * Checks requests against the policies of the role that runs the program.
 * @param stack of the resource: each stack has roles of its own
 * @returns the tolerated ones that were denied
 * @throws ApiError for the first other one, in the words of the service
 */
export function authorize(aws: Account, stack: string, requests: () => Call[]): Call[] {
  const { role, domain } = aws;
  const placeholders = { stack: aws.stackOfRole ?? stack, ...(domain ? { domain } : {}) };
  const policies = aws.policies ?? policiesOf(role, placeholders);
  if (!policies) return [];
  const global = {
    "aws:PrincipalAccount": aws.account,
    "aws:RequestedRegion": aws.region,
    // Only Debian's images and parameters belong to another account.
    "aws:ResourceAccount": aws.account,
  };
  const denied = requests().filter((one) => {
    const request = { ...one, context: { ...global, ...one.context } };
    aws.onRequest?.(request);
    return !allowed(policies, request);
  });
  const [fatal] = denied.filter(({ tolerated }) => !tolerated);
  if (!fatal) return denied;
  const code = fatal.action.startsWith("ec2:") ? "UnauthorizedOperation" : "AccessDenied";
  throw new ApiError(
    code,
    `User: arn:${aws.partition}:sts::${aws.account}:assumed-role/ci-mcp-edge-${role}/run is not authorized to perform: ` +
      `${fatal.action} on resource: ${fatal.resource} because no identity-based policy allows the ${fatal.action} action`,
  );
}
