import { randomUUID } from "node:crypto";
import { type Account, ApiError, arn, type Kind, tagsAll } from "../kind.ts";
import { jsonProblem, oneOf, patterns } from "../limits.ts";
import { number, objects, type Props, text, texts } from "../values.ts";
import { ensureServiceRole } from "./service-roles.ts";

/** CloudWatch's alarms and log groups, and the SNS topics they write to (API references). */

export const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
export const TOPIC = "aws:sns/topic:Topic";

const regionOf = (inputs: Props, aws: Account) => text(inputs, "region") || aws.region;

const COMPARISONS = [
  "GreaterThanOrEqualToThreshold",
  "GreaterThanThreshold",
  "LessThanThreshold",
  "LessThanOrEqualToThreshold",
  "LessThanLowerOrGreaterThanUpperThreshold",
  "LessThanLowerThreshold",
  "GreaterThanUpperThreshold",
];

function alarmProblems(inputs: Props): [string, string][] {
  const found = [
    ...patterns(inputs, {
      name: [/^[^\p{Cc}]{1,255}$/u, "1 to 255 characters"],
      alarmDescription: [/^[\s\S]{0,1024}$/, "at most 1024 characters"],
    }),
    ...oneOf(inputs, {
      comparisonOperator: COMPARISONS,
      statistic: ["SampleCount", "Average", "Sum", "Minimum", "Maximum"],
      treatMissingData: ["missing", "ignore", "breaching", "notBreaching"],
    }),
  ];
  const period = number(inputs, "period");
  if (period !== undefined && ![10, 20, 30].includes(period) && (period <= 0 || period % 60 !== 0))
    found.push(["period", `${period} must be 10, 20, 30 or a multiple of 60`]);
  const times = number(inputs, "evaluationPeriods") ?? 1;
  if (times < 1) found.push(["evaluationPeriods", `${times} must be 1 or more`]);
  if (period !== undefined && period * times > 604_800)
    found.push(["evaluationPeriods", "the alarm would look back more than seven days"]);
  if ((number(inputs, "datapointsToAlarm") ?? 1) > times)
    found.push(["datapointsToAlarm", "cannot be more than evaluationPeriods"]);
  for (const key of ["alarmActions", "okActions", "insufficientDataActions"]) {
    const actions = texts(inputs, key);
    if (actions.length > 5) found.push([key, `${actions.length} actions, at most 5 are taken`]);
    for (const action of actions) if (!action.startsWith("arn:")) found.push([key, `"${action}" is no ARN`]);
  }
  return found;
}

function checkActions(inputs: Props, aws: Account): void {
  const region = regionOf(inputs, aws);
  for (const action of ["alarmActions", "okActions", "insufficientDataActions"].flatMap((key) =>
    texts(inputs, key),
  )) {
    const [, , service, where = "", , what] = action.split(":");
    if (where !== region)
      throw new ApiError(
        "ValidationError",
        `Invalid region ${where} specified. Only ${region} is supported.`,
      );
    if (service === "sns" && !aws.store.get(TOPIC, action))
      throw new ApiError("ValidationError", `The topic ${action} does not exist.`);
    if (service === "automate" && what === "ec2") {
      const about = inputs.dimensions as Props | undefined;
      if (!about?.InstanceId)
        throw new ApiError("ValidationError", `${action} needs the dimension InstanceId.`);
      ensureServiceRole(aws, "events.amazonaws.com");
    }
  }
}

export const metricAlarm: Kind = {
  token: ALARM,
  replaces: ["name"],
  autoName: { input: "name", max: 255 },
  check: alarmProblems,
  make: (inputs, aws) => {
    if (!inputs.metricName && objects(inputs, "metricQueries").length === 0)
      throw new ApiError("ValidationError", "An alarm needs metricName or metricQueries.");
    if (inputs.metricName && !inputs.statistic && !inputs.extendedStatistic)
      throw new ApiError("ValidationError", "An alarm of one metric needs a statistic.");
    checkActions(inputs, aws);
    const id = text(inputs, "name");
    const outs = {
      arn: arn(aws, "cloudwatch", `alarm:${id}`, regionOf(inputs, aws)),
      actionsEnabled: true,
      treatMissingData: "missing",
      evaluateLowSampleCountPercentiles: "",
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs, aws) => {
    checkActions(inputs, aws);
    return tagsAll(inputs);
  },
};

const RETENTION = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const logGroup: Kind = {
  token: "aws:cloudwatch/logGroup:LogGroup",
  replaces: ["name", "namePrefix", "logGroupClass"],
  autoName: { input: "name", max: 512 },
  check: (inputs) => [
    ...patterns(inputs, { name: [/^(?!aws\/)[.\-_/#A-Za-z0-9]{1,512}$/, "1 to 512 of a-zA-Z0-9._-/#"] }),
    ...oneOf(inputs, { retentionInDays: RETENTION }),
  ],
  make: (inputs, aws) => {
    const id = text(inputs, "name");
    if (aws.store.get("aws:cloudwatch/logGroup:LogGroup", id))
      throw new ApiError("ResourceAlreadyExistsException", `The log group ${id} already exists.`);
    const outs = {
      arn: arn(aws, "logs", `log-group:${id}`),
      retentionInDays: 0,
      logGroupClass: "STANDARD",
      skipDestroy: false,
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

export const topic: Kind = {
  token: TOPIC,
  replaces: ["name", "namePrefix", "fifoTopic"],
  autoName: { input: "name", max: 256 },
  check: (inputs) => patterns(inputs, { name: [/^[A-Za-z0-9_-]{1,256}$/, "1 to 256 of a-zA-Z0-9_-"] }),
  make: (inputs, aws) => {
    const id = arn(aws, "sns", text(inputs, "name"), regionOf(inputs, aws));
    return { id, outs: { arn: id, owner: aws.account, policy: "", ...tagsAll(inputs) } };
  },
  change: (_before, inputs) => tagsAll(inputs),
  remove: ({ id }, aws) => {
    for (const one of aws.store.all("aws:sns/topicSubscription:TopicSubscription")) {
      if (one.inputs.topic === id) aws.store.remove(one.token, one.id);
    }
  },
};

export const topicSubscription: Kind = {
  token: "aws:sns/topicSubscription:TopicSubscription",
  replaces: ["topic", "protocol", "endpoint"],
  references: { topic: { token: TOPIC, weak: true } },
  check: (inputs) => [
    ...oneOf(inputs, {
      protocol: ["email", "email-json", "sms", "sqs", "lambda", "http", "https", "application", "firehose"],
    }),
    ...(inputs.protocol === "email"
      ? patterns(inputs, { endpoint: [/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "an e-mail address"] })
      : []),
  ],
  make: (inputs, aws) => {
    const id = `${text(inputs, "topic")}:${randomUUID()}`;
    // An e-mail subscription is pending until its recipient confirms it.
    return { id, outs: { arn: id, pendingConfirmation: inputs.protocol === "email", ownerId: aws.account } };
  },
};

export const topicPolicy: Kind = {
  token: "aws:sns/topicPolicy:TopicPolicy",
  replaces: ["arn"],
  references: { arn: { token: TOPIC, weak: true } },
  check: (inputs) => {
    const what = jsonProblem(inputs.policy, 30_720);
    return what ? [["policy", what]] : [];
  },
  make: (inputs, aws) => ({ id: text(inputs, "arn"), outs: { owner: aws.account } }),
};
