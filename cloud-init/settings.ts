import * as z from "zod";
import { edgeSettings } from "./edge-settings.ts";
import { rateLimit, text } from "./formats.ts";
import { FORWARDS, TOPOLOGIES } from "./topology.ts";
import { holdsCredentials } from "./workspace-address.ts";

export { rateLimit, wholeNumber } from "./formats.ts";

/**
 * What a machine's files are rendered from. The formats below are the only ones: the project's settings (infra/settings) use the
 * same schemas, so a value that passes there cannot be refused here, and none means something else inside a file that root reads.
 */

/** A host name with a dot, in lower case (RFC 1123). */
export const hostName = text(
  /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  "a lower-case host name with a dot, without scheme, port or path, such as mcp.example.com",
);

export const emailAddress = text(
  /^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/,
  "an e-mail address such as ops@example.com; before the @: letters, digits and . _ % + -",
);

/** URL of an ACME directory (RFC 8555 section 7.1.1). */
export const acmeUrl = text(/^https:\/\/[A-Za-z0-9.:[\]_/-]+$/, "the https URL of an ACME directory");

/** A profile in the directory of the ACME server (draft-ietf-acme-profiles); `""`: the server's own default. */
export const acmeProfile = text(/^[A-Za-z0-9._-]{0,64}$/, "the name of a profile, such as shortlived");

/** How the machine proves to the ACME server that the domain is its own (RFC 8555 section 8). */
export const acmeChallenge = z.enum(["http-01", "dns-01"], "must be http-01 or dns-01");

/** `HH:MM` in UTC, or `off`. */
export const timeOfDay = text(
  /^(([01][0-9]|2[0-3]):[0-5][0-9]|off)$/,
  "a time of day in UTC from 00:00 to 23:59, or off",
);

/** A form that the server's ALLOWED_ORIGINS takes. */
export const origin = text(
  /^(?!https?:\/\/\*$)(null|[a-z][a-z0-9+.-]*:\/\/(\*|(\*\.)?[A-Za-z0-9._-]+)(:\d{1,5})?|[a-z0-9.-]+)$/,
  "an origin such as https://chat.example.com, https://*.example.com or vscode-webview://*",
);

/** What a machine clones: a URL, or an absolute path on the machine; `""`: nothing. */
export const cloneSource = text(
  /^([A-Za-z0-9/][^\s'"\\$`]*)?$/,
  "a URL or an absolute path without blanks and quotes",
).refine(
  (value) => !holdsCredentials(value),
  "must not hold credentials, which everybody on the machine could read",
);

/** Variables of a file that systemd reads (`EnvironmentFile=`), by name. */
const environment = z.record(
  text(/^[A-Z][A-Z0-9_]*$/, "a name of letters, digits and _"),
  text(/^[^\p{Cc}'"\\$`]*$/u, "one line without quotes, backslashes and $"),
);

/** What a problem says, also of a name in a record. */
export const messageOf = (issue: z.core.$ZodIssue): string =>
  issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;

/** What differs from machine to machine; everything else in `files/` is the same on all of them. */
export const MachineSettings = z
  .object({
    /** Public host name. */
    domain: hostName,
    /** A second one, which takes static tokens only (server: TOKEN_DOMAIN). "": none. */
    tokenDomain: z.union([z.literal(""), hostName]),
    /** Contact of the ACME account. */
    email: emailAddress,
    acmeServer: acmeUrl,
    acmeProfile: acmeProfile.default(""),
    acmeChallenge: acmeChallenge.default("http-01"),
    /** Name of the stack, for people who read the machine. */
    stack: text(/^[A-Za-z0-9._-]+$/, "letters, digits, `.`, `_` and `-`"),
    /** URL, or path on the machine, of a git repository or bundle; `""`: none. */
    workspace: cloneSource,
    /** Folder of that repository under /srv/mcp-edge/workspace; also needed when `workspace` is `""`. */
    workspaceName: text(
      /^([A-Za-z0-9_][A-Za-z0-9._-]*)?$/,
      "one folder name: letters, digits, `.`, `_` and `-`",
    ),
    /** Requests a second of one credential at one address; an address sends four times as many in all. */
    rateLimit,
    ...edgeSettings,
    /** Where TLS is terminated. */
    edge: z.enum(TOPOLOGIES),
    /** How a forwarder passes connections on. */
    forward: z.enum(FORWARDS),
    /** The addresses of the origin, for a forwarder: where it passes connections on to. */
    originMachine: z.object({ ipv4: z.ipv4(), ipv6: z.ipv6() }).optional(),
    /** More origins whose pages may call. */
    allowedOrigins: z.array(origin),
    /** From then on, within an hour, the machine reboots when an installed patch needs it. `off`: never. */
    rebootAt: timeOfDay,
    /** What the settings give the server, beside what is the same on all machines: server.env. */
    serverEnvironment: environment,
    /** What the settings give the machine's scripts: edge.env. */
    edgeEnvironment: environment,
    /** PEM of a certification authority that the machine trusts besides Debian's. */
    trustedCa: text(/^-----BEGIN CERTIFICATE-----\n/, "a certificate in PEM").optional(),
    /** On AWS: the machine pulls by itself, and may report metrics and logs. Absent: neither. */
    aws: z.object({ metrics: z.boolean(), logs: z.boolean() }).optional(),
  })
  .refine(({ workspace, workspaceName }) => workspace === "" || workspaceName !== "", {
    path: ["workspaceName"],
    error: "must be set, because workspace names a repository",
    when: () => true,
  });

export type MachineSettings = z.infer<typeof MachineSettings>;

/**
 * A second check, for files that root reads: the values come from the project's settings, which have the same formats.
 *
 * @returns the known settings alone
 * @throws Error that names every wrong setting without its value: an address may hold a credential.
 */
export function checkMachineSettings(settings: object): MachineSettings {
  const { data, error } = MachineSettings.safeParse(settings);
  if (data) return data;
  const problems = error.issues.map((issue) => `${z.core.toDotPath(issue.path)} ${messageOf(issue)}`);
  throw new Error(`The machine's files cannot be written: ${problems.join("; ")}.`);
}
