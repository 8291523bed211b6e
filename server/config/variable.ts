import * as z from "zod";

/** What is known of a variable beside its schema, kept as the schema's `.meta()`. */
export interface VariableMeta {
  /** Its name in the environment. `PREFIX_*` stands for all variables with that prefix, as a record of their texts. */
  readonly variable: string;
  /** The values it takes, with an article, to follow "must be". */
  readonly type: string;
  /** Printable: the type cannot hold a secret, so a problem may show the value. */
  readonly printable: boolean;
  /** One sentence or more, for operators. */
  readonly description: string;
  /** As it would be written in the environment. */
  readonly default?: string | undefined;
  /** Says what happens when it is not set, where that is not one fixed value. */
  readonly unset?: string | undefined;
  /** A value to suggest in errors and in the documentation. Default: the default. */
  readonly example?: string | undefined;
  readonly unit?: string | undefined;
  /** Its value is a credential or may contain one. */
  readonly secret?: boolean | undefined;
  /** Who sets it, where that is not the operator. */
  readonly setBy?: string | undefined;
}

type Options = Omit<VariableMeta, "variable" | "type" | "printable">;

/**
 * One variable: the schema of its text, with what the documentation and the errors say of it. A default is parsed like any other text;
 * without one, an unset variable is undefined.
 */
export function variable<S extends z.ZodType<unknown, string | undefined>>(
  name: string,
  schema: S,
  options: Options & { default: string },
): z.ZodPrefault<S>;
export function variable<S extends z.ZodType>(name: string, schema: S, options: Options): z.ZodOptional<S>;
export function variable(name: string, schema: z.ZodType, options: Options): z.ZodType {
  const meta = { printable: false, ...schema.meta(), ...options, variable: name };
  return (options.default === undefined ? schema.optional() : schema.prefault(options.default)).meta(meta);
}

/** A group of variables, or of groups. Its shape is the shape of the parsed configuration. */
export type Variables = z.ZodObject<Record<string, z.ZodType>>;

/** A parsed group. Every key is there: an optional variable that is not set is undefined. */
export type Values<G extends Variables> = {
  readonly [K in keyof G["shape"]]: G["shape"][K] extends Variables
    ? Values<G["shape"][K]>
    : z.output<G["shape"][K]>;
};

/** A variable and its place in the parsed configuration. */
export interface VariablePlace extends VariableMeta {
  readonly path: readonly string[];
}

/** Every variable of a group, in the order of the schema. */
export function variablesOf(group: Variables, path: readonly string[] = []): VariablePlace[] {
  return Object.entries(group.shape).flatMap(([key, schema]) => {
    const place = [...path, key];
    if (schema instanceof z.ZodObject) return variablesOf(schema, place);
    return [{ ...(schema.meta() as unknown as VariableMeta), path: place }];
  });
}

/** Everything that is wrong with the environment: one line for each problem, with its fix. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`The environment has ${count}:\n${problems.map((p) => `  ${p}`).join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Parses the variables of a group. An empty value counts as unset, as in a systemd EnvironmentFile.
 *
 * @throws ConfigError naming every problem at once, never with a value that may be a secret
 */
export function parseVariables<G extends Variables>(group: G, env: NodeJS.ProcessEnv): Values<G> {
  const places = variablesOf(group);
  const values: Record<string, unknown> = {};
  for (const { path, variable } of places) put(values, path, read(env, variable));
  const parsed = group.safeParse(values);
  if (parsed.success) return parsed.data as Values<G>;
  throw new ConfigError(
    parsed.error.issues.map((issue) => {
      const place = places.find(({ path }) => path.every((key, i) => key === issue.path[i]));
      if (!place) return issue.message;
      const value = env[place.variable] ?? "";
      // A value may be here by mistake: one that looks like more than a word or a number is not shown either.
      const shown = place.printable && /^[\w.-]{1,20}$/.test(value) ? `=${value}` : "";
      const suggestion = `${place.variable}=${place.example ?? place.default ?? ""}`;
      // An issue of our own says what to do itself.
      const what =
        issue.code === "custom" ? issue.message : `must be ${place.type}; for example: ${suggestion}`;
      return `${place.variable}${shown}: ${what}`;
    }),
  );
}

function read(env: NodeJS.ProcessEnv, name: string): unknown {
  const set = (value: string | undefined) => (value?.trim() ? value : undefined);
  if (!name.endsWith("*")) return set(env[name]);
  const entries = Object.entries(env).filter(
    ([key, value]) => key.startsWith(name.slice(0, -1)) && set(value),
  );
  return Object.fromEntries(entries);
}

/** Groups exist also when nothing in them is set. */
function put(into: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[key] = value;
  else {
    into[key] ??= {};
    put(into[key] as Record<string, unknown>, rest, value);
  }
}
