import { run } from "../exec.ts";
import type { Credentials } from "./sigv4.ts";

type Environment = Record<string, string | undefined>;

/** What `aws configure export-credentials --format process` prints (AWS CLI 2.9 and later). */
function fromProcess(text: string): Credentials {
  const found = JSON.parse(text) as { AccessKeyId: string; SecretAccessKey: string; SessionToken?: string };
  return {
    accessKeyId: found.AccessKeyId,
    secretAccessKey: found.SecretAccessKey,
    ...(found.SessionToken ? { sessionToken: found.SessionToken } : {}),
  };
}

/**
 * The credentials that the engine's AWS provider finds too: the environment's, as in CI; else whatever the AWS CLI has (a
 * profile, single sign-on, a role). AWS's own SDK would do the same with three megabytes of dependencies.
 * @throws Error that says both ways
 */
export async function findCredentials(env: Environment = process.env): Promise<Credentials> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env;
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    const session = AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {};
    return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, ...session };
  }
  try {
    const { stdout } = await run("aws", ["configure", "export-credentials", "--format", "process"], { env });
    return fromProcess(stdout);
  } catch (error) {
    throw new Error(
      `No AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and the AWS CLI gives none (${(error as Error).message}). ` +
        "Sign in (aws sso login), or set both variables.",
    );
  }
}
