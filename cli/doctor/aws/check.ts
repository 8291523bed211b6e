import type { AwsSettings } from "../../../infra/settings.ts";
import type { AwsClient } from "./client.ts";

/** A machine of the stack, as EC2 describes it. */
export interface Ec2Machine {
  id: string;
  state: string;
  instanceType: string;
  /** Milliseconds since 1970. */
  launched: number;
  httpTokens: string;
  hopLimit: number;
}

/** What one run knows; earlier checks add to it. */
export interface AwsContext {
  aws: AwsClient;
  settings: AwsSettings;
  account?: string;
  image?: string;
  machines?: Ec2Machine[];
}

/** One question to AWS. It only reads. */
export interface AwsCheck {
  id: string;
  title: string;
  /** `account`: holds before anything is made; `stack`: needs the stack's machines. */
  about: "account" | "stack";
  tried: (context: AwsContext) => string;
  /** What came, in words. @throws CheckFailure, or any error of the network */
  run: (context: AwsContext) => Promise<string>;
  fix: (context: AwsContext) => string;
}

/** By these tags the program's resources are known. */
export const stackFilters = ({ settings }: AwsContext): Record<string, string> => ({
  "tag:Project": "mcp-edge",
  "tag:Stack": settings.stack,
});
