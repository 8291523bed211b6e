/**
 * The settings of a stack's AWS provider (`aws:…`) that select an account, credentials and endpoints. Everything that calls AWS
 * besides the engine (the wait, `shell`, `token`, `doctor --aws`) uses them too, so that all of it acts on the same account.
 */
export interface ProviderSettings {
  region: string;
  profile?: string;
  accessKey?: string;
  secretKey?: string;
  token?: string;
  sharedConfigFiles?: string[];
  sharedCredentialsFiles?: string[];
  /** Assumed one after the other, each with the credentials of the previous one. */
  assumeRoles?: AssumedRole[];
  /** Base URL by the provider's name of the service, such as s3. */
  endpoints?: Record<string, string>;
  useFipsEndpoint?: boolean;
  useDualstackEndpoint?: boolean;
  /** Put the bucket into the path of a URL. Default: only for a custom endpoint. */
  s3UsePathStyle?: boolean;
  /** Attempts after the first. Default: the SDK's. */
  maxRetries?: number;
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
      `aws:${key} is ${JSON.stringify(value)}, which is not a structured value: pulumi config set --path aws:${key}…`,
    );
  }
};

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** An object without the keys whose value is undefined or "". */
export const defined = <T extends object>(all: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined && value !== ""),
  ) as Defined<T>;

/**
 * @param config the stack's configuration by full key; structured values as JSON, as the engine hands them out
 * @param region of the stack, from its configuration or from the environment
 * @throws Error when a structured setting is not valid JSON
 */
export function providerSettings(config: Record<string, string>, region: string): ProviderSettings {
  const text = (key: string) => config[`aws:${key}`];
  const list = <T>(key: string) => parsed<T>(key, text(key));
  const flag = (key: string) => (text(key) ? text(key) === "true" : undefined);
  const single = list<AssumedRole>("assumeRole");
  const endpoints = list<Record<string, string>[]>("endpoints");
  return {
    region,
    ...defined({
      profile: text("profile"),
      accessKey: text("accessKey"),
      secretKey: text("secretKey"),
      token: text("token"),
      sharedConfigFiles: list<string[]>("sharedConfigFiles"),
      sharedCredentialsFiles: list<string[]>("sharedCredentialsFiles"),
      assumeRoles: list<AssumedRole[]>("assumeRoles") ?? (single && [single]),
      endpoints: endpoints && Object.assign({}, ...endpoints),
      useFipsEndpoint: flag("useFipsEndpoint"),
      useDualstackEndpoint: flag("useDualstackEndpoint"),
      s3UsePathStyle: flag("s3UsePathStyle"),
      maxRetries: text("maxRetries") ? Number(text("maxRetries")) : undefined,
    }),
  };
}

/** Whether the stack names credentials. If not, the environment and the AWS CLI's own defaults decide. */
export const namesCredentials = (settings: ProviderSettings): boolean =>
  (["profile", "accessKey", "sharedConfigFiles", "sharedCredentialsFiles", "assumeRoles"] as const).some(
    (key) => settings[key] !== undefined,
  );

/** Seconds of a duration in Go's notation, such as 1h30m. @throws Error for any other text */
export function goSeconds(text: string): number {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  const [hours = 0, minutes = 0, seconds = 0] = (match ?? []).slice(1).map((part) => Number(part ?? 0));
  if (!match || text === "") throw new Error(`"${text}" is not a duration such as 1h30m`);
  return hours * 3600 + minutes * 60 + seconds;
}
