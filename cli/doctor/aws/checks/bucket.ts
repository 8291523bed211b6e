import { GetBucketVersioningCommand, GetPublicAccessBlockCommand } from "@aws-sdk/client-s3";
import { bucketName } from "../../../aws/stack.ts";
import { CheckFailure } from "../../check.ts";
import type { AwsCheck, AwsContext } from "../check.ts";
import { REFRESH } from "./problems.ts";

const BLOCKS = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"] as const;

const nameOf = ({ settings, account = "", machines = [] }: AwsContext) =>
  bucketName(machines, settings.stack, account);

/** That the bucket is private and keeps versions. */
export const bucket: AwsCheck = {
  id: "bucket",
  title: "Bucket",
  about: "stack",
  tried: (context) => `s3:GetBucketPublicAccessBlock and GetBucketVersioning of ${nameOf(context)}`,
  async run(context) {
    const { s3 } = context.aws;
    const Bucket = nameOf(context);
    const { PublicAccessBlockConfiguration: block } = await s3.send(
      new GetPublicAccessBlockCommand({ Bucket }),
    );
    const open = BLOCKS.filter((name) => block?.[name] !== true);
    if (open.length > 0) throw new CheckFailure(`${Bucket} lacks ${open.join(", ")}`);
    const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
    if (Status !== "Enabled")
      throw new CheckFailure(`${Bucket} keeps no versions (${Status ?? "never enabled"})`);
    return `${Bucket}: private, versioned`;
  },
  fix: () => REFRESH,
};
