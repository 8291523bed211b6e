import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { cliEnvironment, credentialsFor } from "../../../infra/aws/credentials.ts";
import { goSeconds, providerSettings } from "../../../infra/aws/provider-settings.ts";
import { RefusedError } from "../../../infra/aws/refused.ts";
import { endpointOf } from "../../../infra/aws/service-endpoint.ts";

const region = "eu-central-1";
const stack = (config: Record<string, string>) =>
  providerSettings(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`aws:${key}`, value])),
    region,
  );

/** STS as far as AssumeRole goes: who asked is the access key of the signature. */
const assumed: {
  by: string;
  role: string;
  session: string;
  externalId: string | null;
  seconds: string | null;
}[] = [];
const sts = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    const form = new URLSearchParams(body);
    const by = /Credential=(\w+)/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const role = form.get("RoleArn") ?? "";
    assumed.push({
      ...{ by, role, session: form.get("RoleSessionName") ?? "" },
      ...{ externalId: form.get("ExternalId"), seconds: form.get("DurationSeconds") },
    });
    if (role.endsWith("/forbidden")) {
      response.writeHead(403, { "content-type": "text/xml" });
      response.end(
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>may not assume it</Message></Error></ErrorResponse>",
      );
      return;
    }
    response.setHeader("content-type", "text/xml");
    response.end(
      `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA${role.split("/")[1]?.toUpperCase()}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    );
  });
});

let folder = "";
let endpoints = "";
const before = { ...process.env };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-credentials-"));
  await writeFile(
    join(folder, "credentials"),
    "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = d\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = o\n",
  );
  await writeFile(join(folder, "config"), "[default]\n");
  await new Promise<void>((done) => sts.listen(0, "127.0.0.1", done));
  endpoints = JSON.stringify([{ sts: `http://127.0.0.1:${(sts.address() as AddressInfo).port}` }]);
});
afterAll(async () => {
  sts.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
  process.env.AWS_EC2_METADATA_DISABLED = "true";
  process.env.AWS_CONFIG_FILE = join(folder, "config");
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, "credentials");
  assumed.length = 0;
});
afterEach(() => {
  process.env = { ...before };
});

const key = async (config: Record<string, string>) => (await credentialsFor(stack(config))()).accessKeyId;

describe("the credentials of a stack", () => {
  test("come from the stack's keys, profile or files, or else from the environment", async () => {
    expect(await key({ accessKey: "AKIASTACK", secretKey: "s" })).toBe("AKIASTACK");
    expect(await key({ profile: "other" })).toBe("AKIAOTHER");
    expect(await key({})).toBe("AKIADEFAULT");
    process.env.AWS_SHARED_CREDENTIALS_FILE = "/dev/null";
    const sharedCredentialsFiles = JSON.stringify([join(folder, "credentials")]);
    expect(await key({ sharedCredentialsFiles, profile: "other" })).toBe("AKIAOTHER");
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "e" });
    expect(await key({})).toBe("AKIAENV");
  });

  test("come from roles that are assumed one after the other", async () => {
    const assumeRoles = JSON.stringify([
      { roleArn: "arn:aws:iam::111122223333:role/first" },
      {
        roleArn: "arn:aws:iam::444455556666:role/second",
        sessionName: "me",
        externalId: "x",
        duration: "1h30m",
      },
    ]);
    expect(await key({ profile: "other", assumeRoles, endpoints })).toBe("ASIASECOND");
    expect(assumed).toEqual([
      {
        by: "AKIAOTHER",
        role: "arn:aws:iam::111122223333:role/first",
        session: "mcp-edge",
        externalId: null,
        seconds: null,
      },
      {
        by: "ASIAFIRST",
        role: "arn:aws:iam::444455556666:role/second",
        session: "me",
        externalId: "x",
        seconds: "5400",
      },
    ]);
    const assumeRole = JSON.stringify({ roleArn: "arn:aws:iam::111122223333:role/only" });
    expect(await key({ accessKey: "AKIASTACK", secretKey: "s", assumeRole, endpoints })).toBe("ASIAONLY");
  });

  test.each([
    [
      { profile: "nobody" },
      /No AWS credentials \(the stack names aws:profile nobody\).*aws sso login --profile nobody/s,
    ],
    [
      { profile: "other", assumeRoles: '[{"roleArn":"arn:aws:iam::111122223333:role/forbidden"}]' },
      /aws:assumeRoles arn:aws:iam::111122223333:role\/forbidden\): .*may not assume it/s,
    ],
  ])("fail for %j with the setting and what is missing", async (config, words) => {
    const error = await credentialsFor(stack({ ...config, endpoints }))().catch((one) => one);
    expect(error).toBeInstanceOf(RefusedError);
    expect(error.message).toMatch(words);
  });

  test("are passed to the AWS CLI, unless the stack sets none", async () => {
    expect(await cliEnvironment(stack({}))).toEqual({ AWS_REGION: region });
    expect(await cliEnvironment(stack({ profile: "other", endpoints: '[{"ec2":"http://ec2"}]' }))).toEqual({
      AWS_REGION: region,
      AWS_ENDPOINT_URL_EC2: "http://ec2",
      AWS_ACCESS_KEY_ID: "AKIAOTHER",
      AWS_SECRET_ACCESS_KEY: "o",
    });
  });

  test("endpoints come from the stack, then from the service's variable, then from AWS_ENDPOINT_URL", () => {
    process.env.AWS_ENDPOINT_URL = "http://all";
    process.env.AWS_ENDPOINT_URL_SSM = "http://ssm";
    const settings = stack({ endpoints: '[{"s3":"http://s3"},{"sts":"http://sts"}]' });
    expect(["s3", "sts", "ssm", "ec2"].map((service) => endpointOf(settings, service))).toEqual([
      "http://s3",
      "http://sts",
      "http://ssm",
      "http://all",
    ]);
  });
});

test("goSeconds parses Go's durations", () => {
  expect(["1h", "30m", "1h30m", "900s"].map(goSeconds)).toEqual([3600, 1800, 5400, 900]);
  for (const text of ["", "3600", "1d"]) expect(() => goSeconds(text)).toThrow("not a duration");
});

test("a structured setting that is no JSON is refused", () => {
  expect(() => stack({ assumeRoles: "arn:aws:iam::1:role/x" })).toThrow("--path aws:assumeRoles");
});
