/** What differs from machine to machine; everything else in `files/` is the same on all of them. */
export interface MachineSettings {
  /** Public host name, the only one that is served. */
  domain: string;
  /** Contact of the ACME account. */
  email: string;
  /** ACME directory URL. */
  acmeServer: string;
  /** Name of the stack, for people who read the machine. */
  stack: string;
  auth: "token" | "none";
  /** Fastify's log level, e.g. `info`. */
  logLevel: string;
  /** URL, or path on the machine, of a git repository or bundle; `""`: none. */
  workspace: string;
  /** Folder of that repository under /srv/mcp-edge/workspace; also needed when `workspace` is `""`. */
  workspaceName: string;
  /** Requests a second of one credential at one address; an address sends four times as many in all. Twice as many may come in a burst. */
  rateLimit: number;
  /** More origins whose pages may call, in the forms of the server's ALLOWED_ORIGINS. */
  allowedOrigins: readonly string[];
  /** `HH:MM` in UTC: from then on, within an hour, the machine reboots when an installed patch needs it. `off`: never. */
  rebootAt: string;
  /** PEM of a certification authority that the machine trusts besides Debian's: the local ACME server's own. */
  trustedCa?: string;
  /** On AWS: the machine pulls by itself, and may report metrics and logs. Absent: neither. */
  aws?: { metrics: boolean; logs: boolean };
}

const PATTERNS: { [K in keyof Omit<MachineSettings, "aws">]?: [RegExp, string] } = {
  domain: [
    /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/,
    "a host name in lower case",
  ],
  email: [/^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$/, "an e-mail address"],
  acmeServer: [/^https:\/\/[A-Za-z0-9.:[\]_/-]+$/, "an https URL"],
  stack: [/^[A-Za-z0-9._-]+$/, "letters, digits, `.`, `_` and `-`"],
  auth: [/^(token|none)$/, "`token` or `none`"],
  logLevel: [/^(fatal|error|warn|info|debug|trace|silent)$/, "one of Fastify's log levels"],
  workspace: [
    /^([A-Za-z0-9/][^\s'"\\$`]*)?$/,
    "a URL or an absolute path without blanks and quotes, or empty",
  ],
  rebootAt: [/^(([01][0-9]|2[0-3]):[0-5][0-9]|off)$/, "a time as 04:00, or `off`"],
  workspaceName: [/^([A-Za-z0-9_][A-Za-z0-9._-]*)?$/, "one folder name: letters, digits, `.`, `_` and `-`"],
};

/**
 * Refuses values that would mean something else inside a configuration file. The values come checked from the
 * project's settings; this is a second check, for files that root reads.
 *
 * @throws Error that lists every bad value.
 */
export function checkMachineSettings(settings: MachineSettings): void {
  const problems: string[] = [];
  for (const [key, [pattern, what]] of Object.entries(PATTERNS)) {
    const value = settings[key as keyof MachineSettings];
    if (typeof value !== "string" || !pattern.test(value))
      // An address may hold a credential.
      problems.push(
        `${key} is ${/[@?]/.test(String(value)) && key === "workspace" ? "something else" : JSON.stringify(value)}, not ${what}`,
      );
  }
  for (const origin of settings.allowedOrigins)
    if (!/^[A-Za-z0-9.:/*+_-]+$/.test(origin))
      problems.push(`allowedOrigins has ${JSON.stringify(origin)}, which is not an origin`);
  if (!Number.isInteger(settings.rateLimit) || settings.rateLimit < 1)
    problems.push(`rateLimit is ${settings.rateLimit}, not a whole number of requests a second, 1 or more`);
  if (/^[a-z]+:\/\/[^/]*:[^/]*@|^(https?|git):\/\/[^/]*@|\?/.test(settings.workspace))
    problems.push(
      "workspace is an address with credentials, and would be in files that everybody on the machine can read",
    );
  if (settings.workspace !== "" && settings.workspaceName === "")
    problems.push("workspaceName is empty although workspace names a repository");
  if (settings.trustedCa !== undefined && !/^-----BEGIN CERTIFICATE-----\n/.test(settings.trustedCa))
    problems.push("trustedCa does not begin with -----BEGIN CERTIFICATE-----");
  if (problems.length > 0) throw new Error(`The machine's files cannot be written: ${problems.join("; ")}.`);
}
