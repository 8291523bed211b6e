import { fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { defined, goSeconds, namesCredentials, type ProviderSettings } from "./provider-settings.ts";
import { RefusedError } from "./refused.ts";
import { endpointOf } from "./service-endpoint.ts";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Called for each request: temporary credentials expire, and the SDK renews them in time. */
export type CredentialSource = () => Promise<Credentials>;

/**
 * The credentials that the engine's AWS provider uses for a stack: its own keys, its profile (including single sign-on, processes and
 * web identities), or those of the environment. Its `assumeRoles` are then assumed one after the other.
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
          ...defined({
            profile,
            configFilepath: sharedConfigFiles?.[0],
            filepath: sharedCredentialsFiles?.[0],
          }),
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
          ExternalId: role.externalId,
          Policy: role.policy,
          DurationSeconds: role.duration ? goSeconds(role.duration) : undefined,
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

/** There are no credentials. The message names the profile or the roles of the stack. */
class CredentialsError extends RefusedError {
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
 * Environment that makes the AWS CLI use the stack's account.
 * @returns no credentials when the stack names none: the CLI then finds its own, as the engine does
 */
export async function cliEnvironment(settings: ProviderSettings): Promise<Record<string, string>> {
  const endpoints = Object.entries(settings.endpoints ?? {}).map(([service, url]) => [
    // The provider calls a service "ec2", the CLI's variable is AWS_ENDPOINT_URL_EC2.
    `AWS_ENDPOINT_URL_${service.toUpperCase()}`,
    url,
  ]);
  const place = {
    AWS_REGION: settings.region,
    ...Object.fromEntries(endpoints),
    ...(settings.useFipsEndpoint ? { AWS_USE_FIPS_ENDPOINT: "true" } : {}),
    ...(settings.useDualstackEndpoint ? { AWS_USE_DUALSTACK_ENDPOINT: "true" } : {}),
  };
  if (!namesCredentials(settings)) return place;
  const { accessKeyId, secretAccessKey, sessionToken } = await credentialsFor(settings)();
  return {
    ...place,
    // An empty token would be sent, and refused.
    ...(sessionToken ? { AWS_SESSION_TOKEN: sessionToken } : {}),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}
