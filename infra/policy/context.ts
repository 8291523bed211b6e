import { objectOf } from "./known.ts";

export type Environment = "dev" | "staging" | "prod";
const ENVIRONMENTS: readonly string[] = ["dev", "staging", "prod"] satisfies Environment[];

/** What the policies know about the stack, apart from its resources. */
export interface PolicyContext {
  environment: Environment;
  /** Secret values of the stack's configuration. None of them may appear in clear. */
  secrets: readonly string[];
}

/** Shorter values ("on", "8080") would match by accident. */
const SHORTEST_SECRET = 6;

/**
 * Reads the environment that the engine gives the policy pack: `PULUMI_STACK`, and `PULUMI_CONFIG`, a JSON object with secrets in clear.
 * As in infra/settings.ts, a stack with a custom name is dev unless its setting `environment` says otherwise. Without a stack
 * (`pulumi policy analyze --file`), `MCP_EDGE_ENVIRONMENT` names the environment. If it is unset or unknown, prod applies: it is the
 * strictest.
 */
export function contextOf(env: Record<string, string | undefined>): PolicyContext {
  const config = objectOf(env.PULUMI_CONFIG);
  const secrets = ["mcp-edge:secrets", "mcp-edge:workspaceCredentials", "mcp-edge:identityProviderSecrets"]
    .flatMap((setting) => Object.values(objectOf(config[setting])))
    .filter((value) => typeof value === "string");
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
