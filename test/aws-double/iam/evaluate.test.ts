import { describe, expect, test } from "@jest/globals";
import { allowed, type Context } from "./evaluate.ts";

const policy = (...Statement: object[]) => [{ Version: "2012-10-17", Statement }];
const read = { Effect: "Allow", Action: "s3:GetObject", Resource: ["arn:aws:s3:::b/releases/*"] };
const get = (key: string) => ({ action: "s3:GetObject", resource: `arn:aws:s3:::b/${key}` });

test("a request is allowed if a statement allows it and none denies it", () => {
  expect(allowed(policy(read), get("releases/1"))).toBe(true);
  expect(allowed(policy(read), get("status/1"))).toBe(false);
  expect(allowed(policy(read), { ...get("releases/1"), action: "s3:PutObject" })).toBe(false);
  const deny = { Effect: "Deny", Action: "s3:*", Resource: "*" };
  expect(allowed(policy(read, deny), get("releases/1"))).toBe(false);
  const others = { Effect: "Deny", NotAction: "s3:Get*", Resource: "*" };
  expect(allowed(policy(read, others), get("releases/1"))).toBe(true);
});

test("a variable in a resource is replaced by the caller's value", () => {
  const own = {
    Effect: "Allow",
    Action: "s3:GetObject",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM
    Resource: "arn:aws:s3:::b-${aws:PrincipalAccount}/*",
  };
  const request = { action: "s3:GetObject", resource: "arn:aws:s3:::b-1/x" };
  expect(allowed(policy(own), { ...request, context: { "aws:PrincipalAccount": "1" } })).toBe(true);
  expect(allowed(policy(own), { ...request, context: { "aws:PrincipalAccount": "2" } })).toBe(false);
  expect(allowed(policy(own), request)).toBe(false);
});

/** Condition, keys of the request, whether it holds. */
const CONDITIONS: [object, Context, boolean][] = [
  [{ StringEquals: { "cloudwatch:namespace": "mcp-edge" } }, { "cloudwatch:namespace": "mcp-edge" }, true],
  [{ StringEquals: { "cloudwatch:namespace": "mcp-edge" } }, { "cloudwatch:namespace": "AWS/EC2" }, false],
  [{ StringEquals: { "aws:RequestTag/Project": "x" } }, {}, false],
  [{ StringEquals: { "aws:RequestTag/Project": "x" } }, { "aws:requesttag/project": "x" }, true],
  // Two tags that differ in case alone.
  [
    { StringEquals: { "aws:RequestTag/Project": "x" } },
    { "aws:RequestTag/Project": "x", "aws:RequestTag/project": "y" },
    false,
  ],
  [{ StringLike: { k: "a-*" } }, { k: "a-b" }, true],
  [{ StringNotLike: { k: ["a-*", "b-*"] } }, { k: "b-1" }, false],
  [{ StringNotEquals: { k: "a" } }, {}, true],
  [{ StringEqualsIfExists: { k: "a" } }, {}, true],
  [{ Null: { k: "true" } }, {}, true],
  [{ Null: { k: "false" } }, {}, false],
  [{ "ForAllValues:StringEquals": { k: ["a", "b"] } }, { k: ["a"] }, true],
  [{ "ForAllValues:StringEquals": { k: ["a", "b"] } }, { k: ["a", "c"] }, false],
  [{ "ForAllValues:StringEquals": { k: ["a"] } }, {}, true],
  [{ "ForAnyValue:StringEquals": { k: ["a"] } }, { k: ["c", "a"] }, true],
  [{ "ForAnyValue:StringEquals": { k: ["a"] } }, {}, false],
  [{ Bool: { "aws:SecureTransport": "false" } }, { "aws:SecureTransport": "true" }, false],
  [{ NumericLessThan: { "s3:TlsVersion": "1.2" } }, { "s3:TlsVersion": "1.1" }, true],
  [{ ArnLike: { k: "arn:aws:iam::*:role/x" } }, { k: "arn:aws:iam::1:role/x" }, true],
];

describe("conditions", () => {
  test.each(CONDITIONS)("%j with %j", (Condition, context, holds) => {
    expect(allowed(policy({ ...read, Condition }), { ...get("releases/1"), context })).toBe(holds);
  });

  test("with an operator that is not implemented are an error", () => {
    const odd = { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } };
    expect(() => allowed(policy({ ...read, Condition: odd }), get("releases/1"))).toThrow("IpAddress");
  });
});
