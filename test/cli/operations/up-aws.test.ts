import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { AwsMachineRef } from "../../../cli/machine/machine-ref.ts";
import { ownersLink } from "../../../cli/operations/up-aws.ts";
import { instances, type StandIn, standIn } from "../doctor/aws/stand-in.ts";

/** The owner's link of a stack in AWS, with scripts in place of the AWS CLI and ssh. test/aws/edge.test.ts has the real way. */
let folder = "";
let ec2: StandIn;
let ref: AwsMachineRef;
const path = process.env.PATH;
const stand = async (name: string, script: string) => {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
};
const commands = async () => (await readFile(join(folder, "ssh.log"), "utf8")).trim().split("\n");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-owner-"));
  ec2 = await standIn();
  ec2.answers["ec2 DescribeInstances"] = instances([1, "i-0aa"]);
  const endpoints = { ec2: ec2.endpoint };
  ref = { stack: "prod", provider: { region: "eu-central-1", accessKey: "AKID", secretKey: "s", endpoints } };
  process.env.PATH = `${folder}:${path}`;
  await stand("aws", "exit 0");
});
afterAll(async () => {
  process.env.PATH = path;
  await ec2.close();
  await rm(folder, { recursive: true });
});

const link = "https://mcp.example.com/enrol?link=secret";
const answering = (people: object[]) =>
  stand(
    "ssh",
    `echo "$@" >>${folder}/ssh.log
case "$*" in *"'list'"*) echo '${JSON.stringify(people)}' ;; *) echo '{"login":"owner","link":"${link}"}' ;; esac`,
  );

test("is made where only the doctor's own person is there", async () => {
  await answering([{ login: "doctor" }]);
  expect(await ownersLink(ref)).toEqual({ enrolment: { login: "owner", link } });
  expect((await commands()).at(-1)).toContain("'user' 'add' '--name=Owner' '--scopes=code:read,ops'");
});

test("is not made again where somebody can sign in", async () => {
  await answering([{ login: "ada" }]);
  expect(await ownersLink(ref)).toEqual({});
  expect((await commands()).at(-1)).toContain("'user' 'list' '--json'");
});

test("is missing with the reason, and the update succeeds, where the machine cannot be reached", async () => {
  await stand("aws", "echo 'An error occurred (AccessDeniedException)' >&2; exit 254");
  expect(await ownersLink(ref)).toEqual({
    enrolmentProblem: expect.stringMatching(/AccessDeniedException.*AWS CLI, version 2.12/s),
  });
});
