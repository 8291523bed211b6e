import type * as z from "zod";
import { messageOf } from "../../cloud-init/settings.ts";
import { holdsCredentials } from "../../cloud-init/workspace-address.ts";
import { credentialsProblem } from "../workspace-credentials.ts";
import { authContradictions, missingSecrets } from "./auth-checks.ts";
import { awsContradictions } from "./cross-checks.ts";
import { decode } from "./decode.ts";
import { edgeContradictions } from "./edge-checks.ts";
import { Commands, NAMESPACE, nearest, type Path, pathText, SettingsError } from "./errors.ts";
import { defaultOf, formOf, type Given, isRequired, metaOf, type Shape, type Target } from "./meta.ts";
import { RETIRED, SCHEMAS, type Schemas, type Settings } from "./schemas.ts";
import { topologyContradictions } from "./topology-checks.ts";

/**
 * Parse the configuration of our namespace. Pure.
 *
 * @param raw values by key, without the namespace, as the engine hands them out: texts, lists and objects as JSON
 * @throws SettingsError with all problems at once: unknown keys, keys of another target, wrong values, contradictions
 */
export function parseSettings(
  raw: Record<string, string>,
  stack: string,
  schemas: Schemas = SCHEMAS,
): Settings {
  const target: Target = raw.target === "aws" ? "aws" : "local";
  const shape = schemas[target];
  const commands = new Commands(stack, shape, target === "local");
  const problems = stackProblems(stack, target);
  const values: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(raw)) {
    if (Object.hasOwn(shape, key)) {
      const read = readSetting(key, text, shape[key] as Shape[string], commands);
      if ("value" in read) values[key] = read.value;
      else problems.push(...read.problems);
    } else {
      const retired = Object.hasOwn(RETIRED, key) ? RETIRED[key]?.(stack) : undefined;
      const problem = retired ?? foreignProblem(key, text, target, schemas);
      if (problem) problems.push(`${NAMESPACE}:${key} ${problem}; fix: ${commands.remove([key])}`);
    }
  }
  for (const [key, schema] of Object.entries(shape)) {
    if (key in raw) continue;
    if (isRequired(schema))
      problems.push(`${NAMESPACE}:${key} must be set for target ${target}; fix: ${commands.set([key])}`);
    else values[key] = defaultOf(schema);
  }
  if (problems.length > 0) throw new SettingsError(stack, problems);
  const settings = withComputed(values, shape, { stack, target });
  const contradictions = [
    ...credentialContradictions(settings, commands),
    ...authContradictions(settings, commands),
    ...edgeContradictions(settings, commands),
    ...topologyContradictions(settings, commands),
    ...(settings.target === "aws" ? awsContradictions(settings, commands, Object.keys(raw)) : []),
  ];
  if (contradictions.length > 0)
    throw new SettingsError(
      stack,
      contradictions.map(({ text, fix }) => `${NAMESPACE}:${text}; fix: ${fix}`),
    );
  return settings;
}

/** For the program, which has the secrets. @throws SettingsError for those that the settings need and that are not set */
export function assertSecrets(settings: Settings, schemas: Schemas = SCHEMAS): void {
  const { stack, target } = settings;
  const missing = missingSecrets(settings, new Commands(stack, schemas[target], target === "local"));
  if (missing.length === 0) return;
  throw new SettingsError(
    stack,
    missing.map(({ text, fix }) => `${NAMESPACE}:${text}; fix: ${fix}`),
  );
}

/** One setting from its text. */
function readSetting(
  key: string,
  text: string,
  schema: z.ZodType,
  commands: Commands,
): { value: unknown } | { problems: string[] } {
  const { secret } = metaOf(schema);
  const shown = (value: unknown) => (secret ? "a secret" : printable(value));
  const decoded = decode(formOf(schema).kind, text);
  if ("problem" in decoded) {
    const { problem, instead } = decoded;
    const fix = instead && !secret ? commands.replace(key, instead) : commands.set([key]);
    return { problems: [`${NAMESPACE}:${key} is ${shown(text)}, but ${problem}; fix: ${fix}`] };
  }
  const { data, error } = schema.safeParse(decoded.value);
  if (!error) return { value: data };
  const problems = firstOfEach(error.issues).map((issue) => {
    const path = [key, ...issue.path] as unknown as Path;
    const at = pathText(path);
    if (issue.code === "invalid_key")
      return `${at} has a wrong name, which ${messageOf(issue)}; fix: ${commands.remove(path)}`;
    const fix = issue.code === "custom" && issue.params?.remove ? commands.remove(path) : commands.set(path);
    return `${at} is ${shown(valueAt(decoded.value, issue.path))}, but ${messageOf(issue)}; fix: ${fix}`;
  });
  return { problems };
}

/** The stack's configuration in our namespace, without the prefix. */
export function rawSettings(config: Record<string, string>): Record<string, string> {
  const ours = Object.entries(config).filter(([key]) => key.startsWith(`${NAMESPACE}:`));
  return Object.fromEntries(ours.map(([key, value]) => [key.slice(NAMESPACE.length + 1), value]));
}

function stackProblems(stack: string, target: Target): string[] {
  // On AWS, names of roles, buckets (63 characters with the account) and alarms begin with it.
  const most = target === "aws" ? 24 : 31;
  return new RegExp(`^[a-z][a-z0-9-]{0,${most - 1}}$`).test(stack)
    ? []
    : [`stack name "${stack}" must be lower-case letters, digits and hyphens, ${most} at most`];
}

/** What is wrong with a key that the target does not have; undefined: nothing. */
function foreignProblem(key: string, text: string, target: Target, schemas: Schemas): string | undefined {
  const owner = (Object.keys(schemas) as Target[]).find((other) => Object.hasOwn(schemas[other], key));
  if (owner === undefined) {
    const all = [...new Set(Object.values(schemas).flatMap((shape) => Object.keys(shape)))];
    const meant = nearest(key, all);
    return `is not a setting${meant ? ` (did you mean ${meant}?)` : `; known keys: ${all.join(", ")}`}`;
  }
  const schema = schemas[owner][key] as Shape[string];
  const result = decode(formOf(schema).kind, text);
  // Pulumi.yaml gives every stack the defaults of all targets.
  const same = "value" in result && JSON.stringify(result.value) === JSON.stringify(defaultOf(schema));
  return same ? undefined : `is a setting of target ${owner}, and this stack's target is ${target}`;
}

/** One problem for each place: the first one. */
function firstOfEach(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const seen = new Map<string, z.core.$ZodIssue>();
  for (const issue of issues) {
    const at = JSON.stringify(issue.path);
    if (!seen.has(at)) seen.set(at, issue);
  }
  return [...seen.values()];
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce((at, part) => (at as Record<PropertyKey, unknown> | undefined)?.[part], value);

/** A value as a message may hold it. */
const printable = (value: unknown) =>
  typeof value === "string" && holdsCredentials(value)
    ? "an address with credentials"
    : (JSON.stringify(value) ?? "missing");

function withComputed(
  values: Record<string, unknown>,
  shape: Shape,
  base: { stack: string; target: Target },
): Settings {
  const settings: Record<string, unknown> = { ...base };
  for (const [key, schema] of Object.entries(shape))
    settings[key] = values[key] ?? metaOf(schema).compute?.(settings as unknown as Given);
  return settings as unknown as Settings;
}

function credentialContradictions(settings: Settings, commands: Commands) {
  const problem = credentialsProblem(settings);
  return problem ? [{ text: `workspaceCredentials ${problem}`, fix: commands.set(["workspace"]) }] : [];
}
