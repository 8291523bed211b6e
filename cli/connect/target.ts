import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { acmeRoots } from "../../infra/aws/acme-roots.ts";
import { cacheFolder } from "../../infra/paths.ts";
import { parseSettings, rawSettings } from "../../infra/settings.ts";
import { readDeployed } from "../stack/outputs.ts";
import { stackConfig } from "../stack/workspace.ts";
import type { ConnectTarget } from "./client-setup.ts";

/**
 * What clients connect to: a stack on this host as `up` left it, one in AWS by its settings alone, since it need not have been
 * brought up from here.
 * @throws Error that names the command when a stack of this host is not up, SettingsError for wrong settings
 */
export async function connectTarget(stack: string): Promise<ConnectTarget> {
  const config = await stackConfig(stack);
  const settings = parseSettings(rawSettings(config), stack);
  const { auth, tokenDomain } = settings;
  if (settings.target !== "aws") return { ...(await readDeployed(stack)), auth, tokenDomain };
  const url = `https://${settings.domain}/mcp`;
  const roots = await acmeRoots(settings);
  if (!roots) return { stack, url, auth, tokenDomain };
  // Clients want a file; this one holds certificates alone.
  const folder = cacheFolder("roots");
  await mkdir(folder, { recursive: true });
  const rootsFile = join(folder, `${stack}.pem`);
  await writeFile(rootsFile, roots);
  return { stack, url, rootsFile, auth, tokenDomain };
}
