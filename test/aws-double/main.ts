import { join, resolve } from "node:path";

/** The plugin's process. infra/local reads its folders from the environment when it is loaded, so they are set first. */
export function hostEnvironment(env: NodeJS.ProcessEnv): void {
  const home = resolve(env.AWS_DOUBLE_HOME ?? "");
  env.MCP_EDGE_CACHE ??= join(env.MCP_EDGE_HOME ?? join(import.meta.dirname, "../../.mcp-edge"), "cache");
  env.MCP_EDGE_HOME = join(home, "host");
}

async function serve(): Promise<void> {
  hostEnvironment(process.env);
  const { accountOf } = await import("./account.ts");
  const { awsDouble } = await import("./provider.ts");
  const { converger } = await import("./machine/converge.ts");
  const { main } = await import("@pulumi/pulumi/provider/index.js");
  const aws = accountOf(process.env);
  await main(awsDouble({ aws, converge: converger(aws.store) }), process.argv.slice(2));
}

if (import.meta.main) await serve();
