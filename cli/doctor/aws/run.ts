import { BucketClient } from "../../../infra/aws/bucket-client.ts";
import { credentialsFor } from "../../../infra/aws/credentials.ts";
import type { ProviderSettings } from "../../../infra/aws/provider-settings.ts";
import type { AwsSettings } from "../../../infra/settings.ts";
import { awsClients, describeRefusal } from "../../aws/clients.ts";
import type { CheckResult, DoctorReport } from "../check.ts";
import { outcomeOf } from "../outcome.ts";
import type { AwsCheck, AwsContext } from "./check.ts";
import { AWS_CHECKS } from "./checks/index.ts";

export interface AwsDoctorOptions {
  settings: AwsSettings;
  /** The stack's own settings of the AWS provider: account, region, endpoints. */
  provider: ProviderSettings;
  /** Limit of one request, milliseconds. Default 10 000. */
  limitMs?: number;
}

/**
 * Asks AWS about an account and a stack in it. It only reads: Describe, Get and List. Before the first `up` it checks whether the
 * account has what the program needs. Afterwards it also checks whether the stack is as the program made it.
 * @throws Error when there are no credentials
 */
export async function runAwsDoctor({ settings, provider, limitMs }: AwsDoctorOptions): Promise<DoctorReport> {
  await credentialsFor(provider)();
  const context: AwsContext = {
    aws: awsClients(provider, limitMs),
    settings,
    bucket: (name) => new BucketClient(name, provider),
  };
  const at = new Date().toISOString();
  const started = performance.now();
  const checks: CheckResult[] = [];
  // One after the other: AWS limits the rate of these requests.
  for (const check of AWS_CHECKS) {
    const [first] = checks;
    if (first && !first.ok) checks.push(blocked(check, context, first));
    else if (check.about === "account" || context.machines?.length)
      checks.push(await outcomeOf(check, context, () => check.run(context), describeRefusal));
  }
  const ms = Math.round(performance.now() - started);
  const url = `AWS ${provider.region}, stack ${settings.stack}`;
  return { url, at, ms, ok: checks.every(({ ok }) => ok), checks };
}

/** Without an identity, AWS refuses every question in the same way. */
const blocked = ({ id, title, tried }: AwsCheck, context: AwsContext, first: CheckResult): CheckResult => ({
  id,
  title,
  tried: tried(context),
  got: `not tried: ${first.title} failed`,
  ok: false,
  ms: 0,
  blockedBy: [first.title],
});
