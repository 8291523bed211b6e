import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { EC2Client } from "@aws-sdk/client-ec2";
import { Route53Client } from "@aws-sdk/client-route-53";
import type { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";
import { clientOptions, s3Client } from "../../infra/aws/clients.ts";
import type { ProviderSettings } from "../../infra/aws/provider-settings.ts";

/** One client for each service that the commands read from. */
export interface AwsClients {
  region: string;
  cloudwatch: CloudWatchClient;
  ec2: EC2Client;
  route53: Route53Client;
  s3: S3Client;
  ssm: SSMClient;
  sts: STSClient;
}

/**
 * Clients for the account, region and endpoints of a stack.
 * @param limitMs limit of one request, milliseconds
 */
export function awsClients(provider: ProviderSettings, limitMs = 10_000): AwsClients {
  const options = (service: string) => clientOptions(service, provider, limitMs);
  const route53 = options("route53");
  return {
    region: provider.region,
    cloudwatch: new CloudWatchClient(options("cloudwatch")),
    ec2: new EC2Client(options("ec2")),
    // Route 53 is global and signed for one region. The SDK knows that of its own endpoints, but not of a custom one.
    route53: new Route53Client(route53.endpoint ? { ...route53, region: "us-east-1" } : route53),
    s3: s3Client(provider, limitMs),
    ssm: new SSMClient(options("ssm")),
    sts: new STSClient(options("sts")),
  };
}

/** A refusal of AWS as one sentence; undefined for any other error, such as one of the network. */
export function describeRefusal(error: unknown): string | undefined {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  return status === undefined ? undefined : `AWS answered ${status}: ${name}, ${message}`;
}
