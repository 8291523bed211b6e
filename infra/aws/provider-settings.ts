/**
 * The AWS provider's own settings of a stack (`aws:…`), as far as they say who asks and where: all that talks to AWS beside the
 * engine (the wait, `shell`, `token`, `doctor --aws`) must mean the same account. Pure.
 */
export interface ProviderSettings {
  region: string;
  profile?: string;
  accessKey?: string;
  secretKey?: string;
  token?: string;
  sharedConfigFiles?: string[];
  sharedCredentialsFiles?: string[];
  /** One after the other, each with the credentials of the one before. */
  assumeRoles?: AssumedRole[];
  /** Base URL by the provider's name of the service, such as s3. */
  endpoints?: Record<string, string>;
}

export interface AssumedRole {
  roleArn: string;
  sessionName?: string;
  externalId?: string;
  policy?: string;
  /** Such as 1h30m. */
  duration?: string;
}

const parsed = <T>(key: string, value: string | undefined): T | undefined => {
  if (value === undefined || value === "") return undefined;
  try {
    return JSON.parse(value) as T;
  } catch {
    throw new Error(
      `aws:${key} is ${JSON.stringify(value)}, no structured value: pulumi config set --path aws:${key}…`,
    );
  }
};

const without = <T extends object>(all: T): T =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== "")) as T;

/**
 * @param config the stack's configuration by full key; structured values as JSON, as the engine hands them out
 * @param region of the stack, wherever it comes from
 * @throws Error when a structured setting is none
 */
export function providerSettings(config: Record<string, string>, region: string): ProviderSettings {
  const text = (key: string) => config[`aws:${key}`];
  const list = <T>(key: string) => parsed<T>(key, text(key));
  const single = list<AssumedRole>("assumeRole");
  const endpoints = list<Record<string, string>[]>("endpoints");
  return without({
    region,
    profile: text("profile"),
    accessKey: text("accessKey"),
    secretKey: text("secretKey"),
    token: text("token"),
    sharedConfigFiles: list<string[]>("sharedConfigFiles"),
    sharedCredentialsFiles: list<string[]>("sharedCredentialsFiles"),
    assumeRoles: list<AssumedRole[]>("assumeRoles") ?? (single && [single]),
    endpoints: endpoints && Object.assign({}, ...endpoints),
  }) as ProviderSettings;
}

/** Whether the stack says more than its region: else the environment and the AWS CLI's own defaults decide. */
export const namesCredentials = ({ region: _, endpoints: __, ...who }: ProviderSettings): boolean =>
  Object.keys(who).length > 0;

/** Seconds of a duration as Go writes it, such as 1h30m. @throws Error for any other text */
export function goSeconds(text: string): number {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  const [hours = 0, minutes = 0, seconds = 0] = (match ?? []).slice(1).map((part) => Number(part ?? 0));
  if (!match || text === "") throw new Error(`"${text}" is no duration such as 1h30m`);
  return hours * 3600 + minutes * 60 + seconds;
}
