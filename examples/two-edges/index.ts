import * as pulumi from "@pulumi/pulumi";
import { AwsEdge } from "../../infra/aws/index.ts";
import { prepareAwsEdge } from "../../infra/aws/prepare.ts";
import { type AwsSettings, parseSettings } from "../../infra/settings.ts";

const region = new pulumi.Config("aws").require("region");
const edge = async (name: string, own: Record<string, string>) => {
  const settings = parseSettings({ target: "aws", ...own }, pulumi.getStack()) as AwsSettings;
  return new AwsEdge(name, { settings, region, ...(await prepareAwsEdge(settings)) });
};

const docs = await edge("docs", {
  domain: "docs.example.com",
  workspace: "https://git.example.com/docs.git",
});
const code = await edge("code", {
  domain: "code.example.com",
  workspace: "https://git.example.com/code.git",
});
export default { docs: docs.url, code: code.url };
