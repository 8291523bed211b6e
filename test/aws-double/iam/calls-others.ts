import { arn } from "../kind.ts";
import { hasServiceRole } from "../services/service-roles.ts";
import { text, texts } from "../values.ts";
import {
  type Call,
  type Calls,
  call,
  calls,
  globalArn,
  requestTags,
  resourceTags,
  type Subject,
  storedTags,
  tagsIn,
} from "./calls.ts";

/** IAM, CloudWatch, SNS, Route 53. */

const roleArn = (s: Subject, name = text(s.inputs, "name")) => globalArn(s.aws, "iam", `role/${name}`);
const boundary = ({ inputs }: Subject) =>
  inputs.permissionsBoundary ? { "iam:PermissionsBoundary": text(inputs, "permissionsBoundary") } : {};
const withTags = (s: Subject, action: string, resource: string): Call[] =>
  Object.keys(tagsIn(s.inputs)).length > 0 ? [call(action, resource, requestTags(tagsIn(s.inputs)))] : [];

const role: Calls = {
  make: (s) => [
    call("iam:CreateRole", roleArn(s), { ...requestTags(tagsIn(s.inputs)), ...boundary(s) }),
    ...withTags(s, "iam:TagRole", roleArn(s)),
  ],
  read: (s) => calls("iam:GetRole iam:ListRolePolicies iam:ListAttachedRolePolicies", roleArn(s)),
  change: (s, _before, changed) => [
    ...(changed.has("assumeRolePolicy") ? [call("iam:UpdateAssumeRolePolicy", roleArn(s))] : []),
    ...(changed.has("description") ? [call("iam:UpdateRoleDescription", roleArn(s))] : []),
    ...(changed.has("maxSessionDuration") ? [call("iam:UpdateRole", roleArn(s))] : []),
    ...(changed.has("permissionsBoundary")
      ? s.inputs.permissionsBoundary
        ? [call("iam:PutRolePermissionsBoundary", roleArn(s), boundary(s))]
        : [call("iam:DeleteRolePermissionsBoundary", roleArn(s))]
      : []),
  ],
  remove: (s) =>
    calls(
      "iam:ListInstanceProfilesForRole iam:ListAttachedRolePolicies iam:ListRolePolicies iam:DeleteRole",
      roleArn(s),
    ),
  tags: { tag: "iam:TagRole", untag: "iam:UntagRole", resource: (s) => roleArn(s) },
};

const ROLE = "aws:iam/role:Role";

const rolePolicy: Calls = {
  make: (s) => [call("iam:PutRolePolicy", roleArn(s, text(s.inputs, "role")), boundaryOf(s))],
  read: (s) => [call("iam:GetRolePolicy", roleArn(s, text(s.inputs, "role")))],
  change: (s) => [call("iam:PutRolePolicy", roleArn(s, text(s.inputs, "role")), boundaryOf(s))],
  remove: (s) => [call("iam:DeleteRolePolicy", roleArn(s, text(s.inputs, "role")), boundaryOf(s))],
};

/** The permissions boundary of the policy's role. */
const boundaryOf = ({ aws, inputs }: Subject) => {
  const stored = aws.store.get(ROLE, text(inputs, "role"));
  return stored ? boundary({ aws, ...stored }) : {};
};

const profileArn = (s: Subject) => globalArn(s.aws, "iam", `instance-profile/${text(s.inputs, "name")}`);

const instanceProfile: Calls = {
  make: (s) => [
    call("iam:CreateInstanceProfile", profileArn(s), requestTags(tagsIn(s.inputs))),
    ...withTags(s, "iam:TagInstanceProfile", profileArn(s)),
    call("iam:AddRoleToInstanceProfile", profileArn(s)),
    call("iam:PassRole", roleArn(s, text(s.inputs, "role")), { "iam:PassedToService": "ec2.amazonaws.com" }),
  ],
  read: (s) => [
    call("iam:GetInstanceProfile", profileArn(s)),
    call("iam:GetRole", roleArn(s, text(s.inputs, "role"))),
  ],
  remove: (s) => calls("iam:RemoveRoleFromInstanceProfile iam:DeleteInstanceProfile", profileArn(s)),
  tags: { tag: "iam:TagInstanceProfile", untag: "iam:UntagInstanceProfile", resource: profileArn },
};

const regionOf = (s: Subject) => text(s.inputs, "region") || s.aws.region;

const alarmArn = (s: Subject) => arn(s.aws, "cloudwatch", `alarm:${text(s.inputs, "name")}`, regionOf(s));

/** The first alarm of an account with an action of EC2 creates the role for that action (PutMetricAlarm, API reference). */
const EVENTS = "events.amazonaws.com";

function putAlarm(s: Subject): Call[] {
  const automates = texts(s.inputs, "alarmActions").some((one) => one.split(":")[2] === "automate");
  return [
    call("cloudwatch:PutMetricAlarm", alarmArn(s), requestTags(tagsIn(s.inputs))),
    ...(automates && !hasServiceRole(s.aws, EVENTS)
      ? [
          call(
            "iam:CreateServiceLinkedRole",
            globalArn(s.aws, "iam", `role/aws-service-role/${EVENTS}/AWSServiceRoleForCloudWatchEvents`),
            { "iam:AWSServiceName": EVENTS },
          ),
        ]
      : []),
  ];
}

const metricAlarm: Calls = {
  make: (s) => [...putAlarm(s), ...withTags(s, "cloudwatch:TagResource", alarmArn(s))],
  read: (s) => [
    call("cloudwatch:DescribeAlarms", arn(s.aws, "cloudwatch", "alarm:*", regionOf(s))),
    call("cloudwatch:ListTagsForResource", alarmArn(s)),
  ],
  change: (s, _before, changed) => (changed.size > 0 ? putAlarm(s) : []),
  remove: (s) => [call("cloudwatch:DeleteAlarms", alarmArn(s))],
  tags: { tag: "cloudwatch:TagResource", untag: "cloudwatch:UntagResource", resource: alarmArn },
};

/** Depending on the action, the ARN of a log group ends with `:*` or not. A policy must have both. */
const groupArns = (s: Subject) => {
  const group = arn(s.aws, "logs", `log-group:${text(s.inputs, "name")}`, regionOf(s));
  return [group, `${group}:*`];
};
const onGroup = (s: Subject, actions: string) => groupArns(s).flatMap((resource) => calls(actions, resource));

const logGroup: Calls = {
  make: (s) => [
    ...onGroup(s, "logs:CreateLogGroup"),
    ...groupArns(s).flatMap((resource) => withTags(s, "logs:TagResource", resource)),
    ...(s.inputs.retentionInDays ? onGroup(s, "logs:PutRetentionPolicy") : []),
  ],
  read: (s) => [
    call("logs:DescribeLogGroups", arn(s.aws, "logs", "log-group:*", regionOf(s))),
    ...onGroup(s, "logs:ListTagsForResource"),
  ],
  change: (s, _before, changed) =>
    changed.has("retentionInDays")
      ? onGroup(s, s.inputs.retentionInDays ? "logs:PutRetentionPolicy" : "logs:DeleteRetentionPolicy")
      : [],
  remove: (s) => onGroup(s, "logs:DeleteLogGroup"),
  tags: { tag: "logs:TagResource", untag: "logs:UntagResource", resource: (s) => groupArns(s)[0] as string },
};

const topicArn = (s: Subject) => arn(s.aws, "sns", text(s.inputs, "name"), regionOf(s));

/** Pulumi's provider looks for the topic before it creates it, since CreateTopic silently returns an existing one. */
const topic: Calls = {
  make: (s) => [
    call("sns:GetTopicAttributes", topicArn(s)),
    call("sns:CreateTopic", topicArn(s), requestTags(tagsIn(s.inputs))),
    ...withTags(s, "sns:TagResource", topicArn(s)),
  ],
  read: (s) => calls("sns:GetTopicAttributes sns:ListTagsForResource", topicArn(s)),
  change: (s, _before, changed) => (changed.size > 0 ? [call("sns:SetTopicAttributes", topicArn(s))] : []),
  remove: (s) => [call("sns:DeleteTopic", topicArn(s))],
  tags: { tag: "sns:TagResource", untag: "sns:UntagResource", resource: topicArn },
};

/** Permissions for subscriptions use their topic's ARN, as denials and CloudTrail show. */
const topicSubscription: Calls = {
  make: (s) => [
    call("sns:Subscribe", text(s.inputs, "topic"), { "sns:Protocol": text(s.inputs, "protocol") }),
  ],
  read: (s) => [
    call("sns:GetSubscriptionAttributes", text(s.inputs, "topic")),
    { ...call("sns:ListSubscriptionsByTopic", text(s.inputs, "topic")), tolerated: true },
  ],
  change: (s) => [call("sns:SetSubscriptionAttributes", text(s.inputs, "topic"))],
  remove: (s) => [call("sns:Unsubscribe", text(s.inputs, "topic"))],
};

const zoneArn = (s: Subject, id = s.id) => `arn:${s.aws.partition}:route53:::hostedzone/${id}`;
const changeArn = (s: Subject) => `arn:${s.aws.partition}:route53:::change/C0`;

const zone: Calls = {
  make: (s) => [
    call("route53:CreateHostedZone"),
    call("route53:GetChange", changeArn(s)),
    ...withTags(s, "route53:ChangeTagsForResource", zoneArn(s, "NEW")),
  ],
  read: (s) =>
    calls("route53:GetHostedZone route53:ListTagsForResource route53:ListResourceRecordSets", zoneArn(s)),
  change: (s, _before, changed) =>
    changed.has("comment") ? [call("route53:UpdateHostedZoneComment", zoneArn(s))] : [],
  remove: (s) => [call("route53:GetDNSSEC", zoneArn(s)), call("route53:DeleteHostedZone", zoneArn(s))],
  tags: {
    tag: "route53:ChangeTagsForResource",
    untag: "route53:ChangeTagsForResource",
    resource: (s) => zoneArn(s),
  },
};

function changeRecords(s: Subject, action: "CREATE" | "UPSERT" | "DELETE"): Call[] {
  const { inputs } = s;
  const resource = zoneArn(s, text(inputs, "zoneId"));
  return [
    call("route53:ChangeResourceRecordSets", resource, {
      "route53:ChangeResourceRecordSetsRecordTypes": [text(inputs, "type")],
      "route53:ChangeResourceRecordSetsNormalizedRecordNames": [
        text(inputs, "name").toLowerCase().replace(/\.$/, ""),
      ],
      "route53:ChangeResourceRecordSetsActions": [action],
    }),
    call("route53:GetChange", changeArn(s)),
  ];
}

const record: Calls = {
  make: (s) => [
    call("route53:GetHostedZone", zoneArn(s, text(s.inputs, "zoneId"))),
    ...changeRecords(s, "CREATE"),
  ],
  read: (s) =>
    calls("route53:GetHostedZone route53:ListResourceRecordSets", zoneArn(s, text(s.inputs, "zoneId"))),
  change: (s) => changeRecords(s, "UPSERT"),
  remove: (s) => changeRecords(s, "DELETE"),
};

const checkArn = (s: Subject) => `arn:${s.aws.partition}:route53:::healthcheck/${s.id || "new"}`;

const healthCheck: Calls = {
  make: (s) => [
    call("route53:CreateHealthCheck"),
    ...withTags(s, "route53:ChangeTagsForResource", checkArn(s)),
  ],
  read: (s) => calls("route53:GetHealthCheck route53:ListTagsForResource", checkArn(s)),
  change: (s, _before, changed) => (changed.size > 0 ? [call("route53:UpdateHealthCheck", checkArn(s))] : []),
  remove: (s) => [call("route53:DeleteHealthCheck", checkArn(s))],
  tags: { tag: "route53:ChangeTagsForResource", untag: "route53:ChangeTagsForResource", resource: checkArn },
};

const dlmArn = (s: Subject) => arn(s.aws, "dlm", `policy/${s.id || "policy-new"}`);
/** The stored tags, or the requested ones right after the creation. */
const dlmTags = (s: Subject) => ({
  ...resourceTags(tagsIn(s.inputs)),
  ...storedTags(s.aws.store, LIFECYCLE, s.id),
});
const passToDlm = (s: Subject) =>
  call("iam:PassRole", text(s.inputs, "executionRoleArn"), { "iam:PassedToService": "dlm.amazonaws.com" });
const LIFECYCLE = "aws:dlm/lifecyclePolicy:LifecyclePolicy";

const lifecyclePolicy: Calls = {
  make: (s) => [call("dlm:CreateLifecyclePolicy", "*", requestTags(tagsIn(s.inputs))), passToDlm(s)],
  read: (s) => [call("dlm:GetLifecyclePolicy", dlmArn(s), dlmTags(s))],
  change: (s, _before, changed) => [
    call("dlm:UpdateLifecyclePolicy", dlmArn(s), dlmTags(s)),
    ...(changed.has("executionRoleArn") ? [passToDlm(s)] : []),
  ],
  remove: (s) => [call("dlm:DeleteLifecyclePolicy", dlmArn(s), dlmTags(s))],
  tags: { tag: "dlm:TagResource", untag: "dlm:UntagResource", resource: dlmArn, context: dlmTags },
};

export const OTHER_CALLS: Record<string, Calls> = {
  [ROLE]: role,
  "aws:iam/rolePolicy:RolePolicy": rolePolicy,
  "aws:iam/instanceProfile:InstanceProfile": instanceProfile,
  "aws:cloudwatch/metricAlarm:MetricAlarm": metricAlarm,
  "aws:cloudwatch/logGroup:LogGroup": logGroup,
  [LIFECYCLE]: lifecyclePolicy,
  "aws:sns/topic:Topic": topic,
  "aws:sns/topicSubscription:TopicSubscription": topicSubscription,
  "aws:route53/zone:Zone": zone,
  "aws:route53/record:Record": record,
  "aws:route53/healthCheck:HealthCheck": healthCheck,
};
