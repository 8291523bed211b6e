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
  const bits = address.includes(":") ? ipv6Bits(address) : ipv4Bits(address);
  if (!bits || !/^\d{1,3}$/.test(length) || Number(length) > bits.length) return wrong;
  return bits.slice(Number(length)).includes("1") ? "must have no bits set after the prefix" : undefined;
};

function ipv4Bits(address: string): string | undefined {
  const parts = address.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255))
    return;
  return parts.map((part) => Number(part).toString(2).padStart(8, "0")).join("");
}

function ipv6Bits(address: string): string | undefined {
  const halves = address.split("::");
  if (halves.length > 2) return;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return;
  const groups = [...left, ...Array<string>(missing).fill("0"), ...right];
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return;
  return groups.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0")).join("");
}

export const checkVpc: Check = matches(
  /^vpc-[0-9a-f]{8,17}$/,
  "the id of a VPC, such as vpc-0123456789abcdef0",
);

export const checkSubnets: Check = each(
  matches(/^subnet-[0-9a-f]{8,17}$/, "ids of subnets, such as subnet-0123456789abcdef0"),
);

export const checkInstanceType: Check = matches(
  /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/,
  "an EC2 instance type such as t4g.small",
);

export const checkImage: Check = matches(
  /^(keep|roll|ami-[0-9a-f]{8,17})$/,
  "keep, roll or the id of an image such as ami-0123456789abcdef0",
);

export const checkMachine: Check = matches(
  /^(keep|replace(-[A-Za-z0-9._-]{1,32})?)$/,
  "keep, replace, or replace- and any word (a new word replaces once more)",
);

export const checkAcme: Check = matches(
  /^(letsencrypt|letsencrypt-staging|https:\/\/[A-Za-z0-9.:[\]_/-]+)$/,
  "letsencrypt, letsencrypt-staging or the https URL of an ACME directory",
);

/** What CloudWatch Logs takes as `retentionInDays`. */
const RETENTIONS = "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653".split(
  " ",
);

export const checkRetention: Check = (value) =>
  RETENTIONS.includes(value) ? undefined : `must be one of ${RETENTIONS.join(", ")}`;

export const checkTags: Check = each((element) => {
  if (!/^[\p{L}\p{N} _.:/+@-]{1,128}=[\p{L}\p{N} _.:/=+@-]{0,256}$/u.test(element))
    return "must be name=value pairs";
  return /^aws:/i.test(element) ? "must not begin with aws:" : undefined;
});

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
    if (!/^[A-Z][A-Z0-9_]{0,99}$/.test(key))
      return `has the key ${JSON.stringify(key)}, not one such as API_KEY`;
    if (typeof secret !== "string" || secret === "") return `has no text under ${key}`;
    if (/[\n\r\0]/.test(secret)) return `has more than one line under ${key}`;
    if (Buffer.byteLength(secret) > 4096) return `has more than 4096 bytes under ${key}`;
  }
  return undefined;
};
