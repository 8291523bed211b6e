import { S3Client } from "@aws-sdk/client-s3";
import { type CredentialSource, credentialsFor } from "./credentials.ts";
import { defined, type ProviderSettings } from "./provider-settings.ts";
import { endpointOf } from "./service-endpoint.ts";

/** The options that every client of the AWS SDK takes from the stack's provider settings. */
export interface ClientOptions {
  region: string;
  credentials: CredentialSource;
  endpoint?: string;
  useFipsEndpoint?: boolean;
  useDualstackEndpoint?: boolean;
  maxAttempts?: number;
  requestHandler?: { connectionTimeout: number; requestTimeout: number; throwOnRequestTimeout: true };
}

/**
 * Options for a client of the AWS SDK, so that it uses the same account as the engine's provider, with the same credentials and at
 * the same endpoint: `new EC2Client(clientOptions("ec2", settings))`.
 *
 * @param service the provider's name of the service, such as `ec2`, `cloudwatch` or `s3`
 * @param limitMs limit of one attempt, milliseconds; default: the SDK's own, which is none
 */
export function clientOptions(service: string, settings: ProviderSettings, limitMs?: number): ClientOptions {
  const { region, useFipsEndpoint, useDualstackEndpoint, maxRetries } = settings;
  const limits =
    limitMs === undefined
      ? undefined
      : ({ connectionTimeout: limitMs, requestTimeout: limitMs, throwOnRequestTimeout: true } as const);
  return {
    region,
    credentials: credentialsFor(settings),
    ...defined({
      endpoint: endpointOf(settings, service),
      useFipsEndpoint,
      useDualstackEndpoint,
      maxAttempts: maxRetries === undefined ? undefined : maxRetries + 1,
      requestHandler: limits,
    }),
  };
}

/** A client of S3. A custom endpoint has no host name for each bucket, so the bucket is in the path there. */
export function s3Client(settings: ProviderSettings, limitMs?: number): S3Client {
  const options = clientOptions("s3", settings, limitMs);
  return new S3Client({
    ...options,
    forcePathStyle: settings.s3UsePathStyle ?? options.endpoint !== undefined,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
}
