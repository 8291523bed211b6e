import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

type Environment = Record<string, string | undefined>;

const CLOUD = "https://api.pulumi.com";

/** Where the engine keeps what a user is logged in to. */
export const pulumiHome = (env: Environment): string => env.PULUMI_HOME || join(homedir(), ".pulumi");

/**
 * The backend that `pulumi` itself would use here, in its order: PULUMI_BACKEND_URL, `backend.url` of Pulumi.yaml, `pulumi login`, an
 * access token for Pulumi Cloud.
 * @param projectUrl `backend.url` of Pulumi.yaml
 * @returns its URL; "": the user is logged in nowhere
 */
export async function backendOf(env: Environment, projectUrl: string | undefined): Promise<string> {
  if (env.PULUMI_BACKEND_URL) return env.PULUMI_BACKEND_URL;
  if (projectUrl) return projectUrl;
  const text = await readFile(join(pulumiHome(env), "credentials.json"), "utf8").catch(() => "{}");
  const { current } = JSON.parse(text) as { current?: string };
  return current || (env.PULUMI_ACCESS_TOKEN ? CLOUD : "");
}
