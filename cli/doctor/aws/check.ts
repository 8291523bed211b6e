import type { Instance } from "@aws-sdk/client-ec2";
import type { BucketClient } from "../../../infra/aws/bucket-client.ts";
import type { AwsSettings } from "../../../infra/settings.ts";
import type { AwsClients } from "../../aws/clients.ts";
import type { Check } from "../check.ts";

/** What the checks of one run share; earlier checks add to it. */
export interface AwsContext {
  aws: AwsClients;
  settings: AwsSettings;
  account?: string;
  image?: string;
  machines?: Instance[];
  bucket(name: string): BucketClient;
}

/** One question to AWS. It only reads. */
export interface AwsCheck extends Pick<Check<AwsContext>, "id" | "title" | "tried" | "fix"> {
  /** `account`: can be asked before anything is made; `stack`: needs the stack's machines. */
  about: "account" | "stack";
  /** @returns what was found, in words @throws CheckFailure when that is wrong, or the error of the AWS SDK */
  run(context: AwsContext): Promise<string>;
}
