import { publicParameter } from "./images.ts";
import { type Account, ApiError } from "./kind.ts";
import { offeredZones, zonesOf } from "./services/offerings.ts";
import { object, objects, type Props, text, texts } from "./values.ts";

/** The data sources: functions of the package `aws` that read. */

const REGIONS: Record<string, string> = {
  "us-east-1": "US East (N. Virginia)",
  "eu-central-1": "Europe (Frankfurt)",
  "eu-west-1": "Europe (Ireland)",
};

type Answer = (args: Props, aws: Account) => Props;

const bare = (name: string) => name.replace(/\.$/, "");

function getZone(args: Props, { store }: Account): Props {
  const zones = store.all("aws:route53/zone:Zone");
  const found = zones.find(
    ({ id, inputs }) =>
      (args.zoneId ? id === args.zoneId : bare(text(inputs, "name")) === bare(text(args, "name"))) &&
      (args.privateZone === true) === objects(inputs, "vpcs").length > 0,
  );
  if (!found) throw new ApiError("NoSuchHostedZone", `no matching Route 53 Hosted Zone found: ${args.name}`);
  const { id, inputs, outs } = found;
  return { ...outs, ...inputs, id, zoneId: id, privateZone: false, resourceRecordSetCount: 2 };
}

function getParameter(args: Props, { store, region }: Account): Props {
  const name = text(args, "name");
  const known = publicParameter(region, name);
  const stored = store.get("aws:ssm/parameter:Parameter", name);
  if (known === undefined && !stored)
    throw new ApiError("ParameterNotFound", `couldn't find resource: ${name}`);
  const value = known ?? text(stored?.inputs ?? {}, "value");
  const type = known ? "String" : stored?.inputs.type;
  return { id: name, name, value, insecureValue: value, type, version: stored?.outs.version ?? 1 };
}

/** The document that `getPolicyDocument` writes. */
function getPolicyDocument(args: Props): Props {
  const principals = (statement: Props, key: string) => {
    const lists = objects(statement, key).map(
      (one) => [text(one, "type"), texts(one, "identifiers")] as const,
    );
    const single = (values: string[]) => (values.length === 1 ? values[0] : values);
    return lists.length === 0
      ? undefined
      : Object.fromEntries(lists.map(([type, ids]) => [type, single(ids)]));
  };
  const conditions = (statement: Props) => {
    const all: Record<string, Record<string, unknown>> = {};
    for (const one of objects(statement, "conditions")) {
      const values = texts(one, "values");
      const test = text(one, "test");
      all[test] = { ...all[test], [text(one, "variable")]: values.length === 1 ? values[0] : values };
    }
    return Object.keys(all).length === 0 ? undefined : all;
  };
  const list = (statement: Props, key: string) => {
    const values = texts(statement, key);
    return values.length === 0 ? undefined : values.length === 1 ? values[0] : values;
  };
  const Statement = objects(args, "statements").map((statement) => ({
    Sid: statement.sid,
    Effect: statement.effect ?? "Allow",
    Action: list(statement, "actions"),
    NotAction: list(statement, "notActions"),
    Resource: list(statement, "resources"),
    NotResource: list(statement, "notResources"),
    Principal: principals(statement, "principals"),
    NotPrincipal: principals(statement, "notPrincipals"),
    Condition: conditions(statement),
  }));
  const json = JSON.stringify({ Version: text(args, "version") || "2012-10-17", Statement }, null, 2);
  return { id: "policy", json, minifiedJson: JSON.stringify(JSON.parse(json)) };
}

const stored =
  (token: string, key = "id"): Answer =>
  (args, { store }) => {
    const found = store.get(token, text(args, key));
    if (!found) throw new ApiError("NotFound", `no matching ${token} found: ${args[key]}`);
    return { ...found.outs, ...found.inputs, id: found.id };
  };

const ANSWERS: Record<string, Answer> = {
  "aws:index/getCallerIdentity:getCallerIdentity": (_args, aws) => ({
    id: aws.account,
    accountId: aws.account,
    arn: `arn:${aws.partition}:iam::${aws.account}:user/double`,
    userId: "AIDADOUBLE",
  }),
  "aws:index/getRegion:getRegion": (args, aws) => {
    const region = text(args, "region") || text(args, "name") || aws.region;
    const endpoint = `ec2.${region}.amazonaws.com`;
    return { id: region, name: region, region, endpoint, description: REGIONS[region] ?? region };
  },
  "aws:index/getPartition:getPartition": (_args, aws) => ({
    id: aws.partition,
    partition: aws.partition,
    dnsSuffix: "amazonaws.com",
    reverseDnsPrefix: "com.amazonaws",
  }),
  "aws:index/getAvailabilityZones:getAvailabilityZones": (_args, aws) => ({
    id: aws.region,
    names: zonesOf(aws.region),
    zoneIds: [1, 2, 3].map((n) => `${aws.region.replace(/^(..)-(.).*-(\d)$/, "$1$2$3")}-az${n}`),
    groupNames: [aws.region],
    state: "available",
  }),
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": (args, aws) => {
    const filter = objects(args, "filters").find(({ name }) => name === "instance-type");
    const types = texts(filter ?? {}, "values");
    const pairs = types.flatMap((type) => offeredZones(aws, type).map((zone) => [type, zone] as const));
    return {
      id: aws.region,
      instanceTypes: pairs.map(([type]) => type),
      locations: pairs.map(([, zone]) => zone),
      locationTypes: pairs.map(() => "availability-zone"),
    };
  },
  "aws:ssm/getParameter:getParameter": getParameter,
  "aws:route53/getZone:getZone": getZone,
  "aws:iam/getPolicyDocument:getPolicyDocument": getPolicyDocument,
  "aws:ec2/getVpc:getVpc": stored("aws:ec2/vpc:Vpc"),
  "aws:ec2/getSubnet:getSubnet": stored("aws:ec2/subnet:Subnet"),
  "aws:ec2/getSubnets:getSubnets": (args, { store }) => {
    const filters = objects(args, "filters");
    const vpcIds = filters.filter(({ name }) => name === "vpc-id").flatMap((one) => texts(one, "values"));
    const subnets = store.all("aws:ec2/subnet:Subnet");
    const ids = subnets.filter(({ inputs }) => vpcIds.includes(text(inputs, "vpcId"))).map(({ id }) => id);
    return { id: "subnets", ids: ids.sort(), tags: object(args, "tags") };
  },
};

/** @throws ApiError when nothing is found; Error for a function that the double does not have. */
export async function invoke(token: string, args: Props, aws: Account): Promise<Props> {
  const answer = ANSWERS[token];
  if (!answer)
    throw new Error(`The double of AWS has no function ${token}: add it in test/aws-double/invokes.ts`);
  return { ...args, ...answer(args, aws) };
}
