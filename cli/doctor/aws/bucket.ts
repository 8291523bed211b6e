import { CheckFailure } from "../check.ts";
import type { AwsCheck, AwsContext } from "./check.ts";
import { parseXml } from "./xml.ts";

const BLOCKS = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

const nameOf = ({ settings, account }: AwsContext) => `mcp-edge-${settings.stack}-${account}`;

const guarded: AwsCheck = {
  id: "bucket",
  title: "Bucket",
  about: "stack",
  tried: (context) => `s3:GetBucketPublicAccessBlock and GetBucketVersioning of ${nameOf(context)}`,
  async run(context) {
    const bucket = nameOf(context);
    const block = parseXml(await context.aws.s3(bucket, "?publicAccessBlock"));
    const open = BLOCKS.filter((name) => block.get(name) !== "true");
    if (open.length > 0) throw new CheckFailure(`${bucket} lacks ${open.join(", ")}`);
    const versions = parseXml(await context.aws.s3(bucket, "?versioning")).get("Status");
    if (versions !== "Enabled")
      throw new CheckFailure(`${bucket} keeps no versions (${versions || "never enabled"})`);
    return `${bucket}: private, versioned`;
  },
  fix: () => "pulumi up --refresh puts back what was changed by hand",
};

interface Status {
  generation?: string;
  phase?: string;
  ok?: boolean;
}

const converged: AwsCheck = {
  id: "converged",
  title: "Deployment",
  about: "stack",
  tried: () => "s3:GetObject desired.json and each machine's status",
  async run(context) {
    const bucket = nameOf(context);
    const wanted: { generation: string } = JSON.parse(await context.aws.s3(bucket, "desired.json"));
    const problems: string[] = [];
    for (const { id } of context.machines ?? []) {
      const status: Status = JSON.parse(await context.aws.s3(bucket, `status/${id}.json`));
      if (status.generation !== wanted.generation) problems.push(`${id} is at ${status.generation}`);
      else if (status.ok !== true) problems.push(`${id} ended ${status.phase} without success`);
    }
    if (problems.length > 0) throw new CheckFailure(`${wanted.generation} is wanted; ${problems.join("; ")}`);
    return `every machine is at ${wanted.generation.slice(0, 12)}`;
  },
  fix: ({ settings }) =>
    `Read why: aws s3 cp s3://mcp-edge-${settings.stack}-…/status/<instance>.json -; RUNBOOK.md`,
};

export const BUCKET_CHECKS: readonly AwsCheck[] = [guarded, converged];
