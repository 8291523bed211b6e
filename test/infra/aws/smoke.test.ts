import { expect, test } from "@jest/globals";
import { AwsEdge } from "../../../infra/aws/index.ts";
import { type AwsSettings, parseSettings } from "../../../infra/settings.ts";
import { recording, settled } from "./mocks.ts";

test("the whole program makes one machine behind one firewall", async () => {
  const asked = recording("prod");
  const settings = parseSettings({ target: "aws", domain: "mcp.example.com" }, "prod") as AwsSettings;
  const release = { hash: "5".repeat(64), archive: "/etc/hostname" };
  await AwsEdge.create("prod", { settings, release, region: "us-east-1" });
  await settled();
  expect(asked.filter(({ type }) => type === "aws:ec2/instance:Instance")).toHaveLength(1);
});
