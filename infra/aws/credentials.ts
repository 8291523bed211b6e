import { fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { goSeconds, namesCredentials, type ProviderSettings } from "./provider-settings.ts";
import { RefusedError } from "./refused.ts";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Asked for each request: temporary credentials run out, and the SDK renews them in time. */
export type CredentialSource = () => Promise<Credentials>;

/** The environment by which AWS's tools name the endpoint of a service (SDKs reference guide, "Service-specific endpoints"). */
export const endpointOf = (settings: ProviderSettings, service: string): string =>
  settings.endpoints?.[service] ??
  process.env[`AWS_ENDPOINT_URL_${service.toUpperCase().replaceAll("-", "_")}`] ??
  process.env.AWS_ENDPOINT_URL ??
  "";

/**
 * The credentials that the engine's AWS provider uses for a stack: its own keys, its profile (with single sign-on, processes and web
 * identities), or what the environment has; then its `assumeRoles`, one after the other.
 */
export function credentialsFor(settings: ProviderSettings): CredentialSource {
  const { accessKey, secretKey, token, profile, sharedConfigFiles, sharedCredentialsFiles } = settings;
  const own =
    accessKey && secretKey
      ? async () => ({
          accessKeyId: accessKey,
          secretAccessKey: secretKey,
          ...(token ? { sessionToken: token } : {}),
        })
      : fromNodeProviderChain({
          ...(profile ? { profile } : {}),
          ...(sharedConfigFiles?.[0] ? { configFilepath: sharedConfigFiles[0] } : {}),
          ...(sharedCredentialsFiles?.[0] ? { filepath: sharedCredentialsFiles[0] } : {}),
          clientConfig: stsConfig(settings),
        });
  const last = (settings.assumeRoles ?? []).reduce<CredentialSource>(
    (masterCredentials, role) =>
      fromTemporaryCredentials({
        masterCredentials,
        clientConfig: stsConfig(settings),
        params: {
          RoleArn: role.roleArn,
          RoleSessionName: role.sessionName ?? "mcp-edge",
          ...(role.externalId ? { ExternalId: role.externalId } : {}),
          ...(role.policy ? { Policy: role.policy } : {}),
          ...(role.duration ? { DurationSeconds: goSeconds(role.duration) } : {}),
        },
      }),
    own,
  );
  return async () => {
    try {
      return await last();
    } catch (error) {
      throw new CredentialsError((error as Error).message, settings);
    }
  };
}

const stsConfig = (settings: ProviderSettings) => {
  const endpoint = endpointOf(settings, "sts");
  return { region: settings.region, ...(endpoint ? { endpoint } : {}) };
};

/** Nobody to ask as; the message says who was meant. */
export class CredentialsError extends RefusedError {
  override name = "CredentialsError";
  constructor(why: string, settings: ProviderSettings) {
    const { profile, assumeRoles = [] } = settings;
    const who = [
      profile ? `aws:profile ${profile}` : "",
      ...assumeRoles.map(({ roleArn }) => `aws:assumeRoles ${roleArn}`),
    ].filter(Boolean);
    const whose = who.length > 0 ? ` (the stack names ${who.join(", ")})` : "";
    super(
      `No AWS credentials${whose}: ${why}. Sign in (aws sso login${profile ? ` --profile ${profile}` : ""}), or set ` +
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    );
  }
}

/**
 * Environment that makes the AWS CLI mean the stack's account too.
 * @returns nothing when the stack names no credentials: the CLI then finds its own, as the engine does
 */
export async function cliEnvironment(settings: ProviderSettings): Promise<Record<string, string>> {
  const endpoints = Object.entries(settings.endpoints ?? {}).map(([service, url]) => [
    // The provider calls a service "ec2", the CLI's variable is AWS_ENDPOINT_URL_EC2.
    `AWS_ENDPOINT_URL_${service.toUpperCase()}`,
    url,
  ]);
  const region = { AWS_REGION: settings.region };
  if (!namesCredentials(settings)) return { ...region, ...Object.fromEntries(endpoints) };
  const { accessKeyId, secretAccessKey, sessionToken } = await credentialsFor(settings)();
  return {
    ...region,
    ...Object.fromEntries(endpoints),
    // An empty token would be sent, and refused.
    ...(sessionToken ? { AWS_SESSION_TOKEN: sessionToken } : {}),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}
