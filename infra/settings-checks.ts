import { isIPv4, isIPv6 } from "node:net";
import { isNitro } from "./instance-types.ts";

/** Checks of single settings: each says what is wrong with a text, or gives undefined. Pure. */
export type Check = (value: string) => string | undefined;

const hostName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

const matches =
  (pattern: RegExp, what: string): Check =>
  (value) =>
    pattern.test(value) ? undefined : `must be ${what}`;

export const checkDomain: Check = matches(
  hostName,
  "a lower-case host name with a dot, without scheme, port or path, such as mcp.example.com",
);

export const checkEmail: Check = matches(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "an e-mail address");

/** The forms that the server's ALLOWED_ORIGINS takes; the server itself judges them once more. */
export const checkOrigin: Check = matches(
  /^(?!https?:\/\/\*$)(null|[a-z][a-z0-9+.-]*:\/\/(\*|(\*\.)?[A-Za-z0-9._-]+)(:\d{1,5})?|[a-z0-9.-]+)$/,
  "origins such as https://chat.example.com, https://*.example.com or vscode-webview://*",
);

/** The elements of a list setting: separated by commas, blanks around them do not count. */
export const listOf = (value: string): string[] =>
  value
    .split(",")
    .map((element) => element.trim())
    .filter((element) => element !== "");

/** Every element must pass. */
export const each =
  (check: Check): Check =>
  (value) => {
    for (const element of listOf(value)) {
      const problem = check(element);
      if (problem) return `${problem} (${JSON.stringify(element)} is not)`;
    }
    return undefined;
  };

/** An address range as security groups take it: host bits are zero, IPv4 or IPv6. */
export const checkCidr: Check = (value) => {
  const wrong = "must be address ranges such as 203.0.113.0/24 or 2001:db8::/32";
  const [address = "", length = ""] = value.split("/");
  const bits = bitsOf(address);
  if (!bits || !/^\d{1,3}$/.test(length) || Number(length) > bits.length) return wrong;
  return bits.slice(Number(length)).includes("1") ? "must have no bits set after the prefix" : undefined;
};

/**
 * A range in the one spelling that EC2 gives back (RFC 5952): another spelling of the same range would be refused beside it
 * (`InvalidPermission.Duplicate`), and would be a difference at each refresh.
 * @param value a range that passes `checkCidr`
 */
export function canonicalCidr(value: string): string {
  const [address = "", length = ""] = value.split("/");
  // The URL parser writes an IPv6 address in its canonical form.
  const written = address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
  return `${written}/${Number(length)}`;
}

/** The bits of an address, most significant first; undefined when it is none. An IPv6 address has no zone and no IPv4 part. */
function bitsOf(address: string): string | undefined {
  if (isIPv4(address))
    return address
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  if (!isIPv6(address) || /[.%]/.test(address)) return undefined;
  const [left = [], right = []] = address.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
}

export const checkVpc: Check = matches(
  /^vpc-[0-9a-f]{8,17}$/,
  "the id of a VPC, such as vpc-0123456789abcdef0",
);

export const checkSubnets: Check = each(
  matches(/^subnet-[0-9a-f]{8,17}$/, "ids of subnets, such as subnet-0123456789abcdef0"),
);

/** The machine finds its data volume by the name that NVMe gives it, so the type must be one of the Nitro system. */
export const checkInstanceType: Check = (value) => {
  if (!/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(value)) return "must be an EC2 instance type such as t4g.small";
  return isNitro(value)
    ? undefined
    : 'is not of the Nitro system, which the data volume needs (EC2 user guide, "Nitro-based instances"): take its successor, such as t3 for t2, m5 for m4';
};

export const checkImage: Check = matches(
  /^(keep|roll|ami-[0-9a-f]{8,17})$/,
  "keep, roll or the id of an image such as ami-0123456789abcdef0",
);

export const checkAcme: Check = matches(
  /^(letsencrypt|letsencrypt-staging|https:\/\/[A-Za-z0-9.:[\]_/-]+)$/,
  "letsencrypt, letsencrypt-staging or the https URL of an ACME directory",
);

/** What CloudWatch Logs takes as `retentionInDays`. */
const RETENTIONS = "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653".split(
  " ",
);

export const checkTimeOfDay: Check = matches(
  /^(([01][0-9]|2[0-3]):[0-5][0-9]|off)$/,
  "a time of day in UTC from 00:00 to 23:59, or off",
);

export const checkRetention: Check = (value) =>
  RETENTIONS.includes(value) ? undefined : `must be one of ${RETENTIONS.join(", ")}`;

/** Tags that the program sets itself (aws/tags.ts, aws/backups.ts). */
export const OWN_TAGS = ["Project", "Stack", "Environment", "ManagedBy", "Name", "Backups"] as const;

/** Most resources take 50 tags (EC2 user guide, "Tag restrictions"). */
const MOST_TAGS = 50 - OWN_TAGS.length;

const checkTag: Check = (element) => {
  if (!/^[\p{L}\p{N} _.:/+@-]{1,128}=[\p{L}\p{N} _.:/=+@-]{0,256}$/u.test(element))
    return "must be name=value pairs";
  return /^aws:/i.test(element) ? "must not begin with aws:" : undefined;
};

/** IAM tells keys apart without their case ("Duplicate tag keys found"), and conditions on aws:RequestTag read them so. */
export const checkTags: Check = (value) => {
  const problem = each(checkTag)(value);
  if (problem) return problem;
  const keys = listOf(value).map((tag) => tag.replace(/=.*/s, ""));
  if (keys.length > MOST_TAGS) return `must be ${MOST_TAGS} tags at most; these are ${keys.length}`;
  const taken = new Map<string, string>(OWN_TAGS.map((key) => [key.toLowerCase(), key]));
  for (const key of keys) {
    const other = taken.get(key.toLowerCase());
    if (OWN_TAGS.includes(other as (typeof OWN_TAGS)[number]))
      return `must not hold ${key}: the tag ${other} is the program's own, and AWS does not tell them apart by case`;
    if (other !== undefined)
      return `must not hold both ${other} and ${key}: IAM does not tell them apart by case`;
    taken.set(key.toLowerCase(), key);
  }
  return undefined;
};

export const checkBoundary: Check = matches(
  /^arn:aws:iam::(aws|\d{12}):policy\/[\w+=,.@/-]{1,512}$/,
  "the ARN of a managed policy, such as arn:aws:iam::123456789012:policy/boundary",
);

export const checkSnapshot: Check = matches(
  /^snap-[0-9a-f]{8,17}$/,
  "the id of a snapshot, such as snap-0123456789abcdef0",
);

export const checkIssuer: Check = matches(
  hostName,
  "the domain that the certificate authority names for CAA records, such as sectigo.com or pki.goog",
);

/** A branch, a tag or a pattern of them (git-check-ref-format(1)), without what a shell or git would take for more. */
export const checkRef: Check = matches(
  /^(?!-)(?!.*(\.\.|\/\/|@\{))[A-Za-z0-9_.*/+-]{1,200}$/,
  "names of branches or tags, such as main or v*",
);

/** The address lands in files that everybody on the machine can read, in the state and in command lines. Never says the value. */
export const checkWorkspace: Check = (value) =>
  holdsCredentials(value)
    ? "must not hold credentials, which everybody on the machine could read; take them out of the address"
    : undefined;

/** Whether an address has a user with a password, a token in place of a user, or a query, which is where tokens are put. */
export function holdsCredentials(address: string): boolean {
  // host:path, as ssh takes it
  const scp = /^([^/@\s]*)@[^/@\s]+:/.exec(address);
  if (scp) return scp[1]?.includes(":") === true;
  const url = /^([a-z][a-z0-9+.-]*):\/\/([^/]*@)?[^?]*(\?.*)?$/is.exec(address);
  if (!url) return /^[a-z][a-z0-9+.-]*:\/\/.*@/is.test(address);
  const [, scheme = "", user = "", query = ""] = url;
  if (query !== "") return true;
  if (user === "") return /^[^?]*\/\/.*:.*@/.test(address);
  return scheme.toLowerCase() !== "ssh" || user.includes(":");
}

/** A value as it may be shown. */
export const withoutCredentials = (value: string): string =>
  holdsCredentials(value) ? "(an address with credentials)" : value;

/** The parameter beside the server's environment that mcp-edge-pull takes for the workspace's unit. */
export const CREDENTIALS_PARAMETER = "WORKSPACE_CREDENTIALS";

/** Keys become names of SSM parameters and of environment variables. Never says a value. */
export const checkSecrets: Check = (value) => {
  const wrong = 'must be a JSON object of texts, such as {"API_KEY":"…"}';
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return wrong;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return wrong;
  for (const [key, secret] of Object.entries(parsed)) {
    if (key === CREDENTIALS_PARAMETER) return `has the key ${key}; that is the setting workspaceCredentials`;
    if (!/^[A-Z][A-Z0-9_]{0,99}$/.test(key))
      return `has the key ${JSON.stringify(key)}, not one such as API_KEY`;
    if (typeof secret !== "string" || secret === "") return `has no text under ${key}`;
    if (/[\n\r\0]/.test(secret)) return `has more than one line under ${key}`;
    // Systems Manager reads it as a reference: "Parameter value can't nest another parameter".
    if (secret.includes("{{")) return `has "{{" under ${key}, which no parameter of Systems Manager can hold`;
    if (Buffer.byteLength(secret) > 4096) return `has more than 4096 bytes under ${key}`;
  }
  return undefined;
};
