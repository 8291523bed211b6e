import { NAMESPACE } from "../../infra/settings.ts";
import { pulumiHome } from "./backend.ts";

/** A stack's file as far as this matters here. */
export interface StackFile {
  config?: Record<string, unknown>;
  encryptionsalt?: string;
  encryptedkey?: string;
  secretsprovider?: string;
}

type Environment = Record<string, string | undefined>;

/** Where a stack's state and secrets are. */
export interface Belonging {
  /** The state is the team's: another's lock on it is no leftover of ours. */
  shared: boolean;
  /** What the engine gets instead of this checkout's own. */
  environment: Record<string, string>;
  /** How they are encrypted, as the file says. */
  encryption: Omit<StackFile, "config">;
  /** The secrets of the stack's file, encrypted. Of a stack on this host: none, since they are encrypted again (file-secrets.ts). */
  secrets: Record<string, unknown>;
}

/** Encrypted, or with an encrypted value in it: `pulumi config set --path` makes such. */
const isSecret = (value: unknown): boolean =>
  typeof value === "object" && value !== null && ("secure" in value || Object.values(value).some(isSecret));

/** As the engine hands a value to the program: structured ones as JSON. */
const textOf = (value: unknown) =>
  typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);

/** The values of a stack's file that are there to be read. */
export const plainConfig = (file: StackFile): Record<string, string> =>
  Object.fromEntries(
    Object.entries(file.config ?? {}).flatMap(([key, value]) =>
      isSecret(value) ? [] : [[key, textOf(value)]],
    ),
  );

/** The encrypted values of a stack's file. */
export const secretsOf = ({ config = {} }: StackFile): Record<string, unknown> =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => isSecret(value)));

/** How a stack's file says that its secrets are encrypted. */
export const encryptionOf = (file: StackFile): Belonging["encryption"] =>
  pick({ ...file, config: undefined }, "encryptionsalt", "encryptedkey", "secretsprovider");

/** The variables of these names that are set. */
export const pick = (env: Environment, ...names: string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));

/**
 * A machine on this host is this checkout's: state and passphrase lie in its own folder. What is in AWS is a team's: its state is in
 * the backend that `pulumi` itself would use, and the passphrase is the one that the stack's file was encrypted with. Pure.
 * @param env the user's environment, before the command line puts its own over it
 * @param backend where the user is logged in (login.ts); "": nowhere, so a preview shows a stack that does not exist yet
 */
export function belonging(
  file: StackFile,
  target: string | undefined,
  env: Environment,
  backend: string,
): Belonging {
  if (target !== "aws") return { shared: false, environment: {}, encryption: {}, secrets: {} };
  const shared = backend !== "";
  const own = shared || file.encryptionsalt !== undefined;
  return {
    shared,
    environment: {
      // The login, and the plugins that are there already, are in the user's own folder.
      ...(shared ? { PULUMI_BACKEND_URL: backend, PULUMI_HOME: pulumiHome(env) } : {}),
      ...(own ? pick(env, "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE") : {}),
      // The provider's plugin comes from Pulumi's registry, where it is not on PATH.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION ?? "false",
    },
    encryption: encryptionOf(file),
    secrets: secretsOf(file),
  };
}

export const targetOf = (config: Record<string, string>): string | undefined => config[`${NAMESPACE}:target`];
