import { objectOf } from "./known.ts";

export type Environment = "dev" | "staging" | "prod";
const ENVIRONMENTS: readonly string[] = ["dev", "staging", "prod"] satisfies Environment[];

/** What the policies know of the stack beside its resources. */
export interface PolicyContext {
  environment: Environment;
  /** Secret values of the stack's configuration: none may be where it can be read. */
  secrets: readonly string[];
}

/** Shorter ones ("on", "8080") would be found in every text. */
const SHORTEST_SECRET = 6;

/**
 * Read from the environment that the engine gives the pack: `PULUMI_STACK` and `PULUMI_CONFIG`, a JSON object with secrets
 * in clear. A stack with a name of its own is dev unless its setting `environment` says otherwise, as in infra/settings.ts.
 * Without a stack (`pulumi policy analyze --file`) `MCP_EDGE_ENVIRONMENT` says which one is meant; nothing, or a word that
 * names none, means the strictest, prod.
 */
export function contextOf(env: Record<string, string | undefined>): PolicyContext {
  const config = objectOf(env.PULUMI_CONFIG);
  const secrets = Object.values(objectOf(config["mcp-edge:secrets"])).filter(
    (value) => typeof value === "string",
  );
  return {
    environment: environmentOf(config["mcp-edge:environment"], env),
    secrets: secrets.filter((value) => value.length >= SHORTEST_SECRET),
  };
}

function environmentOf(configured: unknown, env: Record<string, string | undefined>): Environment {
  const said = configured ?? (env.PULUMI_STACK ? undefined : env.MCP_EDGE_ENVIRONMENT);
  if (said === undefined && env.PULUMI_STACK)
    return isEnvironment(env.PULUMI_STACK) ? env.PULUMI_STACK : "dev";
  return isEnvironment(said) ? said : "prod";
}

const isEnvironment = (word: unknown): word is Environment => ENVIRONMENTS.includes(word as string);
