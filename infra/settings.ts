import { isNamedAcme, isPublicAcme, knownIssuer } from "./aws/acme.ts";
import { ingressQuota } from "./aws/firewall-rules.ts";
import { architectureOf, defaultInstanceType } from "./instance-types.ts";
import { canonicalCidr, listOf, withoutCredentials } from "./settings-checks.ts";
import { SETTINGS, type Setting, type SettingKey, type Target } from "./settings-table.ts";

import { credentialFile, credentialsProblem, parseWorkspaceCredentials } from "./workspace-credentials.ts";

export { SETTINGS, type Setting, type SettingKey } from "./settings-table.ts";

export const NAMESPACE = "mcp-edge";

/** What every target knows. */
export interface CommonSettings {
  stack: string;
  domain: string;
  email: string;
  auth: "token";
  workspace: string;
  /** Branches and tags that are pushed besides HEAD, patterns among them; `*`: all. */
  workspaceRefs: string[];
  /** The file that the machine gets, secret; "": none. */
  workspaceCredentials: string;
  /** Requests a second and address. */
  rateLimit: number;
  /** Origins in the forms of the server's ALLOWED_ORIGINS. */
  allowedOrigins: string[];
  logLevel: "debug" | "info" | "warn" | "error";
  /** `HH:MM` in UTC, or `off`. */
  rebootAt: string;
}

export interface LocalSettings extends CommonSettings {
  target: "local";
}

export interface AwsSettings extends CommonSettings {
  target: "aws";
  environment: "dev" | "staging" | "prod";
  protect: boolean;
  machines: number;
  /** Of the account, in the region. */
  elasticIpQuota: number;
  architecture: "arm64" | "amd64";
  instanceType: string;
  /** `keep`, `roll` or the id of an image. */
  image: string;
  /** GiB. */
  rootVolumeSize: number;
  /** GiB. */
  dataVolumeSize: number;
  /** Daily snapshots of a data volume that are kept; 0: none. */
  backups: number;
  /** "": none. */
  snapshotId: string;
  /** "": a new VPC. */
  vpcId: string;
  subnetIds: string[];
  /** In their canonical spelling, each once. */
  allowedCidrs: string[];
  /** Of the account: rules of a security group, a direction and address family. */
  ruleQuota: number;
  /** "": none. */
  zone: string;
  hostedZone: "lookup" | "create";
  acme: string;
  /** Path of a PEM file; "": none. */
  acmeCa: string;
  /** Domain of the authority in the CAA record; "": no such record. */
  caaIssuer: string;
  alarms: "basic" | "full";
  /** "": nobody. */
  alarmEmail: string;
  logs: "none" | "cloudwatch";
  logRetentionDays: number;
  shell: "endpoint" | "none";
  /** ARN of a managed policy; "": none. */
  permissionsBoundary: string;
  /** Environment of the server, secret. */
  secrets: Record<string, string>;
  tags: Record<string, string>;
}

export type Settings = LocalSettings | AwsSettings;

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
  `fix: pulumi config set ${NAMESPACE}:${key} ${value} --stack ${stack} (Pulumi.${stack}.yaml), or npm run up -- --set ${key}=${value}`;

const takeOut = (stack: string, key: string) =>
  `fix: pulumi config rm ${NAMESPACE}:${key} --stack ${stack} (Pulumi.${stack}.yaml), or npm run up -- --set ${key}=`;

function problemOf(setting: Setting, value: string): string | undefined {
  // What `pulumi config set --path` makes reaches the program as JSON.
  if (setting.type !== "string" && /^\s*[[{]/.test(value)) {
    const form = setting.type === "list" ? "one text with commas between the elements" : `a ${setting.type}`;
    return `must be ${form}, not a structured value (as --path makes)`;
  }
  if (setting.values && !setting.values.includes(value)) return `must be one of ${setting.values.join(", ")}`;
  if (setting.type === "boolean" && !["true", "false"].includes(value)) return "must be true or false";
  if (setting.type === "number" && setting.min !== undefined) {
    const number = Number(value);
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = setting;
    if (value.trim() === "" || !Number.isInteger(number) || number < min || number > max) {
      return `must be a whole number from ${min} to ${max}`;
    }
  }
  return setting.check?.(value);
}

/** The known key that was probably meant: at most a third of the word is another. */
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
  return best && best.far <= Math.min(3, key.length / 3) ? best.known : undefined;
}

/** The project's default reaches every stack through Pulumi.yaml, so a key of another target at its default says nothing. */
const foreign = (setting: Setting, target: string, value: string) =>
  setting.targets && !setting.targets.includes(target as Target) && value !== setting.default;

/** Settings of earlier versions, and what took their place. */
const RETIRED: Record<string, (stack: string) => string> = {
  machine: (stack) =>
    `is now a command: npm run mcp-edge -- replace --stack ${stack}, which replaces one machine after the other`,
};

function problemOfKey(key: string, value: string, target: string, stack: string): string | undefined {
  const setting = (SETTINGS as Record<string, Setting>)[key];
  const retired = Object.hasOwn(RETIRED, key) ? RETIRED[key]?.(stack) : undefined;
  if (retired) return `${NAMESPACE}:${key} ${retired}; ${takeOut(stack, key)}`;
  if (!setting) {
    const meant = nearest(key);
    const hint = meant ? `did you mean ${meant}? ` : `known keys: ${Object.keys(SETTINGS).join(", ")}. `;
    return `${NAMESPACE}:${key} is not a setting; ${hint}${takeOut(stack, key)}`;
  }
  if (foreign(setting, target, value)) {
    return `${NAMESPACE}:${key} is a setting of target ${setting.targets?.join(", ")}, and this stack's target is ${target}; ${takeOut(stack, key)}`;
  }
  const problem =
    setting.targets && !setting.targets.includes(target as Target) ? undefined : problemOf(setting, value);
  if (!problem) return undefined;
  const example = setting.default.startsWith("(") ? "VALUE" : setting.default;
  const shown = setting.secret ? "a secret" : JSON.stringify(withoutCredentials(value));
  return `${NAMESPACE}:${key} is ${shown} and ${problem}; ${mend(stack, key, example)}`;
}

/** Problems that lie between settings. */
function crossProblems(settings: AwsSettings, raw: Record<string, string>): string[] {
  const { stack, domain, zone, instanceType, architecture, vpcId, subnetIds } = settings;
  const problems: string[] = [];
  const say = (text: string, key: string, value: string) =>
    problems.push(`${NAMESPACE}:${text}; ${mend(stack, key, value)}`);
  // Names of roles, buckets (63 characters with the account) and alarms begin with it.
  if (stack.length > 24) problems.push(`stack name "${stack}" must have 24 characters at most on AWS`);
  if (raw.domain === undefined) say("domain must be set for target aws", "domain", "mcp.example.com");
  if (zone && raw.domain !== undefined && domain !== zone && !domain.endsWith(`.${zone}`)) {
    say(`zone ${zone} does not hold the domain ${domain}`, "zone", domain.split(".").slice(1).join("."));
  }
  if (settings.hostedZone === "create" && !zone) {
    say("hostedZone is create and zone names none", "zone", domain.split(".").slice(1).join("."));
  }
  if (architectureOf(instanceType) !== architecture) {
    const found = architectureOf(instanceType);
    say(
      `instanceType ${instanceType} is ${found} and architecture is ${architecture}`,
      "architecture",
      found,
    );
  }
  if (vpcId && subnetIds.length === 0) say("vpcId needs subnetIds", "subnetIds", "subnet-…");
  if (!vpcId && subnetIds.length > 0) say("subnetIds needs vpcId", "vpcId", "vpc-…");
  if (settings.allowedCidrs.length === 0) say("allowedCidrs names nobody", "allowedCidrs", "0.0.0.0/0,::/0");
  problems.push(...quotaProblems(settings));
  if (settings.machines > 1 && isPublicAcme(settings.acme)) {
    say(
      `machines is ${settings.machines} and acme is ${settings.acme}, whose validation reaches any one of them, so that none gets a certificate; they share none yet. One machine serves, or an ACME server of your own that validates otherwise (mcp-edge:acme: https://…)`,
      "machines",
      "1",
    );
  }
  if (settings.machines > 1 && settings.snapshotId) {
    say("snapshotId is the data of one machine, and machines is more than one", "machines", "1");
  }
  if (raw.caaIssuer !== undefined && isNamedAcme(settings.acme)) {
    problems.push(
      `${NAMESPACE}:caaIssuer is for an ACME server given by its URL, and acme is ${settings.acme}; ${takeOut(stack, "caaIssuer")}`,
    );
  }
  if (settings.acmeCa && !settings.acme.startsWith("https:")) {
    say("acmeCa is for an ACME server of your own", "acme", "https://acme.example.com/directory");
  }
  return problems;
}

/** What an account refuses after half of the stack has been made. */
function quotaProblems(settings: AwsSettings): string[] {
  const { stack, machines, elasticIpQuota, allowedCidrs, ruleQuota } = settings;
  const problems: string[] = [];
  const more = (key: SettingKey, value: number) =>
    `ask for more in Service Quotas, then: pulumi config set ${NAMESPACE}:${key} ${value} --stack ${stack}`;
  if (machines > elasticIpQuota) {
    problems.push(
      `${NAMESPACE}:machines is ${machines}, and the account may have ${elasticIpQuota} Elastic IP addresses in a region; ` +
        `${mend(stack, "machines", String(elasticIpQuota))}; or ${more("elasticIpQuota", machines)}`,
    );
  }
  const rules = ingressQuota(allowedCidrs, isPublicAcme(settings.acme), settings.shell === "endpoint");
  if (rules > ruleQuota) {
    problems.push(
      `${NAMESPACE}:allowedCidrs has ${allowedCidrs.length} ranges, which take ${rules} rules of one address family, and a security ` +
        `group takes ${ruleQuota}; fix: join neighbouring ranges into wider ones, or ${more("ruleQuota", rules)}`,
    );
  }
  return problems;
}

function awsSettings(common: CommonSettings, raw: Record<string, string>): AwsSettings {
  const given = (key: SettingKey, fallback: string) => raw[key] ?? fallback;
  const text = (key: SettingKey) => given(key, SETTINGS[key].default);
  const named = /^(dev|staging|prod)$/.test(common.stack) ? common.stack : "dev";
  const environment = given("environment", named) as AwsSettings["environment"];
  const architecture = text("architecture") as AwsSettings["architecture"];
  const tags = listOf(given("tags", "")).map((tag) => tag.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return {
    ...common,
    target: "aws",
    environment,
    protect: given("protect", String(environment === "prod")) === "true",
    machines: Number(text("machines")),
    elasticIpQuota: Number(text("elasticIpQuota")),
    architecture,
    instanceType: given("instanceType", defaultInstanceType(architecture)),
    image: text("image"),
    rootVolumeSize: Number(text("rootVolumeSize")),
    dataVolumeSize: Number(text("dataVolumeSize")),
    backups: Number(given("backups", environment === "dev" ? "0" : "7")),
    snapshotId: given("snapshotId", ""),
    vpcId: given("vpcId", ""),
    subnetIds: listOf(given("subnetIds", "")),
    allowedCidrs: [...new Set(listOf(text("allowedCidrs")).map(canonicalCidr))],
    ruleQuota: Number(text("ruleQuota")),
    zone: given("zone", ""),
    hostedZone: text("hostedZone") as AwsSettings["hostedZone"],
    acme: text("acme"),
    acmeCa: given("acmeCa", ""),
    caaIssuer: given("caaIssuer", knownIssuer(text("acme"))),
    alarms: given("alarms", environment === "dev" ? "basic" : "full") as AwsSettings["alarms"],
    alarmEmail: given("alarmEmail", ""),
    logs: text("logs") as AwsSettings["logs"],
    logRetentionDays: Number(text("logRetentionDays")),
    shell: text("shell") as AwsSettings["shell"],
    permissionsBoundary: given("permissionsBoundary", ""),
    secrets: JSON.parse(given("secrets", "{}")) as Record<string, string>,
    tags: Object.fromEntries(tags),
  };
}

/** Checks the credentials against the workspace, and puts what the machine gets into the settings. @returns what is wrong */
function takeCredentials(common: CommonSettings, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const { stack, workspace } = common;
  const parsed = parseWorkspaceCredentials(text);
  if (typeof parsed === "string") throw new Error("unreachable: the setting was checked");
  const problem = credentialsProblem(parsed, workspace);
  if (problem)
    return `${NAMESPACE}:${problem}; ${mend(stack, "workspace", "https://git.example.com/owner/name.git")}`;
  try {
    common.workspaceCredentials = credentialFile(parsed, workspace);
    return undefined;
  } catch (error) {
    return `${NAMESPACE}:${(error as Error).message}`;
  }
}

/**
 * Parse the configuration of our namespace. Pure.
 * @param raw values by key, without the namespace, as texts
 * @throws SettingsError with all problems at once: unknown keys, keys of another target, wrong values, contradictions
 */
export function parseSettings(raw: Record<string, string>, stack: string): Settings {
  const problems: string[] = [];
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(stack)) {
    problems.push(`stack name "${stack}" must be lower-case letters, digits and hyphens, 31 at most`);
  }
  const text = (key: SettingKey) => raw[key] ?? SETTINGS[key].default;
  const target = text("target");
  const known = SETTINGS.target.values.includes(target as Target) ? target : "local";
  for (const [key, value] of Object.entries(raw)) {
    const problem = problemOfKey(key, value, known, stack);
    if (problem) problems.push(problem);
  }
  if (problems.length > 0) throw new SettingsError(stack, problems);
  const domain = raw.domain ?? `${stack}.mcp-edge.test`;
  const common: CommonSettings = {
    stack,
    domain,
    email: raw.email ?? `admin@${domain}`,
    auth: text("auth") as "token",
    workspace: text("workspace"),
    // A production machine gets what was committed, not whatever else lies in the checkout of whoever deploys.
    workspaceRefs: listOf(raw.workspaceRefs ?? (target === "local" ? "*" : "")),
    workspaceCredentials: "",
    rateLimit: Number(text("rateLimit")),
    allowedOrigins: listOf(raw.allowedOrigins ?? ""),
    logLevel: text("logLevel") as CommonSettings["logLevel"],
    rebootAt: text("rebootAt"),
  };
  const problem = takeCredentials(common, raw.workspaceCredentials);
  if (problem) throw new SettingsError(stack, [problem]);
  if (target === "local") return { ...common, target: "local" };
  const settings = awsSettings(common, raw);
  const contradictions = crossProblems(settings, raw);
  if (contradictions.length > 0) throw new SettingsError(stack, contradictions);
  return settings;
}
