import { createHash } from "node:crypto";
import { ROLES, type Role } from "./iam/principal.ts";
import type { Account } from "./kind.ts";
import { Store } from "./store.ts";

/** The one account of the double: AWS's documentation uses the same number. */
const ACCOUNT = "111122223333";

const PARTITIONS: [RegExp, string][] = [
  [/^cn-/, "aws-cn"],
  [/^us-gov-/, "aws-us-gov"],
];

const partitionOf = (region: string) => PARTITIONS.find(([pattern]) => pattern.test(region))?.[1] ?? "aws";

export function accountOf(env: NodeJS.ProcessEnv): Account {
  const home = env.AWS_DOUBLE_HOME;
  if (!home)
    throw new Error("AWS_DOUBLE_HOME is not set: the folder that keeps what the double of AWS holds.");
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? "eu-central-1";
  return {
    store: new Store(home),
    region,
    account: ACCOUNT,
    partition: partitionOf(region),
    role: roleOf(home, env.AWS_ACCESS_KEY_ID) ?? "deployer",
    ...(env.AWS_DOUBLE_DOMAIN ? { domain: env.AWS_DOUBLE_DOMAIN } : {}),
  };
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Only temporary credentials have one. */
  sessionToken?: string;
}

const derive = (home: string, what: string) =>
  createHash("sha256").update(`${home}/${what}`).digest("base64url");

/**
 * Credentials of the program's caller, in place of `AssumeRoleWithWebIdentity`. The environment variables
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY with these values determine the policy that the plugin and the endpoint apply.
 */
export const roleCredentials = (home: string, role: Role): Credentials => ({
  accessKeyId: `AKIA${role.toUpperCase().padEnd(16, "0")}`,
  secretAccessKey: derive(home, role),
});

/** The role of an access key; undefined for an unknown key. */
export const roleOf = (home: string, accessKeyId: string | undefined): Role | undefined =>
  ROLES.find((role) => roleCredentials(home, role).accessKeyId === accessKeyId);

/** An instance's credentials, as its metadata service returns them. */
export function instanceCredentials(home: string, instanceId: string): Credentials {
  const key = createHash("sha256").update(instanceId).digest("hex").slice(0, 16).toUpperCase();
  return {
    accessKeyId: `ASIA${key}`,
    secretAccessKey: derive(home, `secret/${instanceId}`),
    sessionToken: derive(home, `token/${instanceId}`),
  };
}
