import { credentialsFor } from "../../../infra/aws/credentials.ts";
import type { ProviderSettings } from "../../../infra/aws/provider-settings.ts";
import { endpointOf } from "../../../infra/aws/service-endpoint.ts";
import type { AwsSettings } from "../../../infra/settings.ts";
import { CheckFailure, type CheckResult, type DoctorReport } from "../check.ts";
import { explain } from "../explain.ts";
import { ACCOUNT_CHECKS } from "./account.ts";
import { BUCKET_CHECKS } from "./bucket.ts";
import type { AwsCheck, AwsContext } from "./check.ts";
import { AwsClient } from "./client.ts";
import { MACHINE_CHECKS } from "./machines.ts";

export interface AwsDoctorOptions {
  settings: AwsSettings;
  /** Who asks, and where: the stack's own settings of the AWS provider. */
  provider: ProviderSettings;
  /** Limit of one request, milliseconds. Default 10 000. */
  limitMs?: number;
}

const CHECKS: readonly AwsCheck[] = [...ACCOUNT_CHECKS, ...MACHINE_CHECKS, ...BUCKET_CHECKS];

/**
 * Asks AWS itself about an account and a stack in it. It only reads: Describe, Get and List. Before the first `up` it says
 * whether the account has what the program will ask for; then also whether the stack is as the program made it.
 * @throws Error when there are no credentials
 */
export async function runAwsDoctor(options: AwsDoctorOptions): Promise<DoctorReport> {
  const { settings, provider, limitMs } = options;
  const { region } = provider;
  const credentials = credentialsFor(provider);
  await credentials();
  const aws = new AwsClient({
    region,
    credentials,
    endpoint: (service) => endpointOf(provider, service),
    ...(limitMs === undefined ? {} : { limitMs }),
  });
  const context: AwsContext = { aws, settings };
  const at = new Date().toISOString();
  const started = performance.now();
  const checks: CheckResult[] = [];
  // One after the other: each is one or two requests, and AWS counts them.
  for (const check of CHECKS) {
    const [first] = checks;
    if (first && !first.ok) checks.push(blocked(check, context, first));
    else if (check.about === "account" || context.machines?.length) checks.push(await ask(check, context));
  }
  const ms = Math.round(performance.now() - started);
  return { url: `AWS ${region}, stack ${settings.stack}`, at, ms, ok: checks.every(({ ok }) => ok), checks };
}

/** Without an identity every question gets the same refusal. */
const blocked = ({ id, title, tried }: AwsCheck, context: AwsContext, first: CheckResult): CheckResult => ({
  id,
  title,
  tried: tried(context),
  got: `not tried: ${first.title} failed`,
  ok: false,
  ms: 0,
  blockedBy: [first.title],
});

async function ask(check: AwsCheck, context: AwsContext): Promise<CheckResult> {
  const started = performance.now();
  const result = (ok: boolean, got: string, fix?: string): CheckResult => ({
    id: check.id,
    title: check.title,
    tried: check.tried(context),
    got,
    ok,
    ms: Math.round(performance.now() - started),
    ...(fix === undefined ? {} : { fix }),
  });
  try {
    return result(true, await check.run(context));
  } catch (error) {
    if (error instanceof CheckFailure) return result(false, error.message, error.fix ?? check.fix(context));
    const { got, fix } = explain(error);
    return result(false, got, fix ?? check.fix(context));
  }
}
