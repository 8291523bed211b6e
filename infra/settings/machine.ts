import { checkMachineSettings, type MachineSettings } from "../../cloud-init/settings.ts";
import { metaOf, type Variables } from "./meta.ts";
import { SCHEMAS, type Schemas, type Settings } from "./schemas.ts";

/** What the settings put into server.env and edge.env, as their schemas say (`.meta({ server, edge })`). Pure. */
function machineEnvironments(settings: Settings, schemas: Schemas) {
  const serverEnvironment: Record<string, string> = {};
  const edgeEnvironment: Record<string, string> = {};
  for (const [key, schema] of Object.entries(schemas[settings.target])) {
    const { server, edge } = metaOf(schema);
    const value = (settings as unknown as Record<string, unknown>)[key];
    if (value === undefined) continue;
    Object.assign(serverEnvironment, variablesOf(server, value));
    Object.assign(edgeEnvironment, variablesOf(edge, value));
  }
  return { serverEnvironment, edgeEnvironment };
}

function variablesOf(variables: Variables | undefined, value: unknown): Record<string, string> {
  if (variables === undefined) return {};
  const text = Array.isArray(value) ? value.join(" ") : String(value);
  const all = typeof variables === "string" ? { [variables]: text } : variables(value);
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, one]) => (one === "" ? [] : [[name, String(one)]])),
  );
}

/** What a deployment knows besides the settings. */
export type MachineSurroundings = Pick<
  MachineSettings,
  "acmeServer" | "workspace" | "workspaceName" | "trustedCa" | "aws" | "originMachine"
>;

/**
 * The settings as the machine's files take them. Pure.
 *
 * @throws Error for a value that cannot stand in a file
 */
export const machineSettings = (
  settings: Settings,
  around: MachineSurroundings,
  schemas: Schemas = SCHEMAS,
): MachineSettings =>
  checkMachineSettings({ ...settings, ...machineEnvironments(settings, schemas), ...around });
