import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { CheckFailure } from "../../check.ts";
import type { AwsCheck } from "../check.ts";

export const identity: AwsCheck = {
  id: "identity",
  title: "Credentials",
  about: "account",
  tried: () => "sts:GetCallerIdentity",
  async run(context) {
    const { Account, Arn = "" } = await context.aws.sts.send(new GetCallerIdentityCommand({}));
    if (!Account) throw new CheckFailure("STS named no account");
    context.account = Account;
    return `account ${Account} as ${Arn.split(":").at(-1)}`;
  },
  fix: () => "Sign in (aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
};
