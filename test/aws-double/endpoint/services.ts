import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { publicParameter } from "../images.ts";
import { type Account, arn } from "../kind.ts";
import { PARAMETER } from "../services/ssm.ts";
import type { Stored } from "../store.ts";
import { number, type Props, text, texts } from "../values.ts";
import { alarms } from "./alarms.ts";
import type { Gate } from "./api.ts";
import type { Answer } from "./s3.ts";

/** An error as the JSON services return it. */
export class ServiceError extends Error {
  override name = "ServiceError";
  readonly status = 400;
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Call = (args: Props, aws: Account, gate: Gate) => Props;

/** A public parameter, which belongs to no account. */
const parameterArn = (aws: Account, name: string) =>
  name.startsWith("/aws/service/")
    ? `arn:${aws.partition}:ssm:${aws.region}::parameter${name}`
    : arn(aws, "ssm", `parameter${name.startsWith("/") ? "" : "/"}${name}`);

function need(gate: Gate, action: string, resource: string): void {
  if (!gate({ action, resource }))
    throw new ServiceError(
      "AccessDeniedException",
      `not authorized to perform: ${action} on resource: ${resource}`,
    );
}

/** A SecureString is decrypted only if the request has WithDecryption. */
function shown(aws: Account, { id, inputs, outs }: Stored, args: Props): Props {
  const sealed = inputs.type === "SecureString" && args.WithDecryption !== true;
  return {
    Name: id,
    Type: inputs.type,
    Value: sealed ? "AQICAHh-sealed" : (inputs.value ?? inputs.insecureValue),
    Version: number(outs, "version") ?? 1,
    ARN: parameterArn(aws, id),
    DataType: "text",
  };
}

const CALLS: Record<string, Call> = {
  "GraniteServiceVersion20100801.DescribeAlarms": (args, aws, gate) => {
    need(gate, "cloudwatch:DescribeAlarms", "*");
    return alarms(args, aws);
  },
  "AmazonSSM.GetParameter": (args, aws, gate) => {
    const name = text(args, "Name");
    need(gate, "ssm:GetParameter", parameterArn(aws, name));
    const image = publicParameter(aws.region, name);
    if (image) return { Parameter: { Name: name, Type: "String", Value: image, Version: 1 } };
    const stored = aws.store.get(PARAMETER, name);
    if (!stored) throw new ServiceError("ParameterNotFound", name);
    return { Parameter: shown(aws, stored, args) };
  },
  "AmazonSSM.GetParameters": (args, aws, gate) => {
    const names = texts(args, "Names");
    for (const name of names) need(gate, "ssm:GetParameters", parameterArn(aws, name));
    const found = names.flatMap((name) => aws.store.get(PARAMETER, name) ?? []);
    const ids = found.map(({ id }) => id);
    return {
      Parameters: found.map((one) => shown(aws, one, args)),
      InvalidParameters: names.filter((name) => !ids.includes(name)),
    };
  },
  "AmazonSSM.GetParametersByPath": (args, aws, gate) => {
    const path = text(args, "Path").replace(/\/$/, "");
    need(gate, "ssm:GetParametersByPath", parameterArn(aws, path));
    const below = aws.store.all(PARAMETER).filter(({ id }) => {
      if (!id.startsWith(`${path}/`)) return false;
      return args.Recursive === true || !id.slice(path.length + 1).includes("/");
    });
    // At most ten a page (API reference); the token is the next one's index.
    const from = Number(args.NextToken ?? 0);
    const page = below.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(from, from + 10);
    const more = from + 10 < below.length ? { NextToken: String(from + 10) } : {};
    return { Parameters: page.map((one) => shown(aws, one, args)), ...more };
  },
};

/** CloudWatch and its logs accept any data. A test reads it back from the file. */
function received(aws: Account, gate: Gate, service: string, action: string, args: Props): Props {
  const resource = service === "logs" ? arn(aws, "logs", `log-group:${text(args, "logGroupName")}:*`) : "*";
  const context = { "cloudwatch:namespace": text(args, "Namespace") };
  const name = `${service === "monitoring" ? "cloudwatch" : service}:${action}`;
  if (!gate({ action: name, resource, context }))
    throw new ServiceError(
      "AccessDeniedException",
      `not authorized to perform: ${name} on resource: ${resource}`,
    );
  appendFileSync(join(aws.store.home, `${service}.jsonl`), `${JSON.stringify({ action, args })}\n`);
  return {};
}

/** Systems Manager uses JSON with X-Amz-Target. CloudWatch may also use a form (its query protocol). */
export function answerJson(
  aws: Account,
  gate: Gate,
  service: string,
  headers: Record<string, string | undefined>,
  body: Buffer,
): Answer {
  const target = headers["x-amz-target"] ?? "";
  const form = headers["content-type"]?.includes("x-www-form-urlencoded");
  const args: Props = form
    ? Object.fromEntries(new URLSearchParams(body.toString()))
    : JSON.parse(body.toString() || "{}");
  const call = CALLS[target];
  const action = form ? text(args, "Action") : (target.split(".").at(-1) ?? "");
  if (!call && !["monitoring", "logs"].includes(service))
    throw new ServiceError("UnknownOperationException", `${service} ${target || action}`);
  const answer = call ? call(args, aws, gate) : received(aws, gate, service, action, args);
  return {
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: JSON.stringify(answer),
  };
}
