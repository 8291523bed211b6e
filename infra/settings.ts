/**
 * The one table of settings. It drives parsing, Pulumi.yaml's `config:` and docs/settings.md (a test compares them).
 * Keys live in the namespace of the project: `mcp-edge:domain`.
 */
export interface Setting {
  type: "string" | "number" | "boolean";
  /** Text of the default, or a sentence in parentheses when it is computed. */
  default: string;
  description: string;
  /** Allowed values. */
  values?: readonly string[];
  min?: number;
  max?: number;
  /** Says what is wrong with a value, or undefined. */
  check?: (value: string) => string | undefined;
}

export const NAMESPACE = "mcp-edge";

const hostName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

function checkDomain(value: string): string | undefined {
  if (hostName.test(value)) return undefined;
  return "must be a lower-case host name with a dot, without scheme, port or path, such as mcp.example.com";
}

function checkEmail(value: string): string | undefined {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) ? undefined : "must be an e-mail address";
}

export const SETTINGS = {
  target: {
    type: "string",
    default: "local",
    values: ["local"],
    description: "Where the machine is: `local` is a Debian guest on this Linux host.",
  },
  domain: {
    type: "string",
    default: "(<stack>.mcp-edge.test)",
    description: "Host name of the server; its certificate is issued for it.",
    check: checkDomain,
  },
  email: {
    type: "string",
    default: "(admin@<domain>)",
    description: "Contact of the ACME account.",
    check: checkEmail,
  },
  auth: {
    type: "string",
    default: "token",
    values: ["token"],
    description: "Who may call: `token` asks for a bearer token, which is stored hashed.",
  },
  workspace: {
    type: "string",
    default: ".",
    description:
      "Git repository that the tools read: a folder on this host (its commits are pushed) or a URL.",
  },
  rateLimit: {
    type: "number",
    default: "50",
    min: 1,
    max: 10_000,
    description: "Requests a second that one address, and one token, may send before they are answered 429.",
  },
  logLevel: {
    type: "string",
    default: "info",
    values: ["debug", "info", "warn", "error"],
    description: "Level of the server's log in the journal.",
  },
} as const satisfies Record<string, Setting>;

export type SettingKey = keyof typeof SETTINGS;

export interface Settings {
  stack: string;
  target: "local";
  domain: string;
  email: string;
  auth: "token";
  workspace: string;
  /** Requests a second and address. */
  rateLimit: number;
  logLevel: "debug" | "info" | "warn" | "error";
}

/** Every problem of a configuration at once, each with the line that mends it. */
export class SettingsError extends Error {
  override name = "SettingsError";
  readonly problems: string[];
  constructor(stack: string, problems: string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`The settings of stack "${stack}" have ${count}:\n${problems.map((p) => `  - ${p}`).join("\n")}`);
    this.problems = problems;
  }
}

/** Both ways to a setting: the stack's file (by hand or by pulumi), and `up`. */
const mend = (stack: string, key: string, value: string) =>
  `mend: pulumi config set ${NAMESPACE}:${key} ${value} --stack ${stack} (Pulumi.${stack}.yaml), or npm run up -- --set ${key}=${value}`;

const takeOut = (stack: string, key: string) =>
  `mend: pulumi config rm ${NAMESPACE}:${key} --stack ${stack} (Pulumi.${stack}.yaml), or npm run up -- --set ${key}=`;

function problemOf(setting: Setting, value: string): string | undefined {
  if (setting.values && !setting.values.includes(value)) return `must be one of ${setting.values.join(", ")}`;
  if (setting.type === "boolean" && !["true", "false"].includes(value)) return "must be true or false";
  if (setting.type === "number") {
    const number = Number(value);
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = setting;
    if (value.trim() === "" || !Number.isInteger(number) || number < min || number > max) {
      return `must be a whole number from ${min} to ${max}`;
    }
  }
  return setting.check?.(value);
}

/** The known key that was probably meant. */
function nearest(key: string): string | undefined {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
        next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
      }
      row = next;
    }
    return row[b.length] ?? 0;
  };
  const ranked = Object.keys(SETTINGS)
    .map((known) => ({ known, far: distance(key.toLowerCase(), known.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const best = ranked[0];
  return best && best.far <= 3 ? best.known : undefined;
}

/**
 * Parse the configuration of our namespace. Pure.
 * @param raw values by key, without the namespace, as texts
 * @throws SettingsError with all problems at once: unknown keys, wrong values
 */
export function parseSettings(raw: Record<string, string>, stack: string): Settings {
  const problems: string[] = [];
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(stack)) {
    problems.push(`stack name "${stack}" must be lower-case letters, digits and hyphens, 31 at most`);
  }
  for (const [key, value] of Object.entries(raw)) {
    const setting = (SETTINGS as Record<string, Setting>)[key];
    if (!setting) {
      const meant = nearest(key);
      const hint = meant ? `did you mean ${meant}? ` : `known keys: ${Object.keys(SETTINGS).join(", ")}. `;
      problems.push(`${NAMESPACE}:${key} is not a setting; ${hint}${takeOut(stack, key)}`);
      continue;
    }
    const problem = problemOf(setting, value);
    const example = setting.default.startsWith("(") ? "VALUE" : setting.default;
    if (problem) {
      problems.push(
        `${NAMESPACE}:${key} is ${JSON.stringify(value)} and ${problem}; ${mend(stack, key, example)}`,
      );
    }
  }
  if (problems.length > 0) throw new SettingsError(stack, problems);
  const text = (key: SettingKey) => raw[key] ?? SETTINGS[key].default;
  const domain = raw.domain ?? `${stack}.mcp-edge.test`;
  return {
    stack,
    target: text("target") as Settings["target"],
    domain,
    email: raw.email ?? `admin@${domain}`,
    auth: text("auth") as Settings["auth"],
    workspace: text("workspace"),
    rateLimit: Number(text("rateLimit")),
    logLevel: text("logLevel") as Settings["logLevel"],
  };
}
