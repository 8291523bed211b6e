import { isIP } from "node:net";
import { isObject, type Props } from "./values.ts";

/** Limits that several services share. */

type Problems = [string, string][];

/** A service's own rules about tags. */
export interface TagRules {
  /** Default 50. */
  most?: number;
  /** Whether keys that differ only in case are the same key. */
  caseless?: boolean;
}

/** Tags: at most 50, keys to 128 and values to 256 characters, `aws:` is reserved (EC2 user guide, "Tag restrictions"). */
export function checkTags(inputs: Props, { most = 50, caseless = false }: TagRules = {}): Problems {
  const tags = inputs.tags;
  if (!isObject(tags)) return [];
  const entries = Object.entries(tags).map(([key, value]) => [key, String(value)] as const);
  const problems: Problems = [];
  if (entries.length > most) problems.push(["tags", `${entries.length} tags, at most ${most} are taken`]);
  const lower = entries.map(([key]) => key.toLowerCase());
  if (caseless && new Set(lower).size < lower.length)
    problems.push(["tags", "Duplicate tag keys found. Please note that Tag keys are case insensitive."]);
  for (const [key, value] of entries) {
    if (key === "" || key.length > 128) problems.push(["tags", `the key ${key} has not 1 to 128 characters`]);
    if (value.length > 256) problems.push(["tags", `the value of ${key} has more than 256 characters`]);
    if (/^aws:/i.test(key)) problems.push(["tags", `${key}: keys that begin with aws: are AWS's own`]);
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(`${key}${value}`)) {
      problems.push(["tags", `${key}=${value} has a character that tags cannot have`]);
    }
  }
  return problems;
}

export interface Cidr {
  family: 4 | 6;
  /** The network's first address, as a number. */
  first: bigint;
  bits: number;
}

function addressNumber(address: string): bigint | undefined {
  const family = isIP(address);
  if (family === 4) return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  if (family !== 6) return undefined;
  const [head = "", tail] = address.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const middle = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...middle, ...right].reduce((sum, part) => sum * 65536n + BigInt(`0x${part}`), 0n);
}

const width = (family: 4 | 6) => (family === 4 ? 32n : 128n);

/** A CIDR, or undefined when it is none. Host bits are allowed here; `hasHostBits` finds them. */
export function parseCidr(value: string): Cidr | undefined {
  const [address = "", bits = ""] = value.split("/");
  const number = addressNumber(address);
  const family = isIP(address) as 4 | 6;
  if (number === undefined || !/^\d+$/.test(bits) || BigInt(bits) > width(family)) return undefined;
  return { family, first: number, bits: Number(bits) };
}

const size = (cidr: Cidr) => 1n << (width(cidr.family) - BigInt(cidr.bits));

export const hasHostBits = (cidr: Cidr) => cidr.first % size(cidr) !== 0n;

export const overlaps = (a: Cidr, b: Cidr) =>
  a.family === b.family && a.first < b.first + size(b) && b.first < a.first + size(a);

export const contains = (outer: Cidr, inner: Cidr) =>
  outer.family === inner.family &&
  inner.first >= outer.first &&
  inner.first + size(inner) <= outer.first + size(outer);

/** The n-th address of a network, as text. */
export function addressAt(cidr: Cidr, n: number): string {
  const number = cidr.first - (cidr.first % size(cidr)) + BigInt(n);
  if (cidr.family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((number >> BigInt(112 - 16 * i)) & 65535n).toString(16),
  );
  // The URL parser writes IPv6 addresses in their canonical form (RFC 5952).
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** What is wrong with a CIDR of an input, or undefined. */
export function cidrProblem(value: string, family: 4 | 6, range?: [number, number]): string | undefined {
  const cidr = parseCidr(value);
  if (!cidr || cidr.family !== family) return `"${value}" is no IPv${family} CIDR`;
  if (hasHostBits(cidr)) return `"${value}" has host bits set: write ${addressAt(cidr, 0)}/${cidr.bits}`;
  if (range && (cidr.bits < range[0] || cidr.bits > range[1])) {
    return `"${value}" must be between /${range[0]} and /${range[1]}`;
  }
  return undefined;
}

/** Problems of the inputs that match no pattern. */
export function patterns(inputs: Props, table: Record<string, [RegExp, string]>): Problems {
  return Object.entries(table).flatMap(([key, [pattern, what]]): Problems => {
    const value = inputs[key];
    if (typeof value !== "string" || pattern.test(value)) return [];
    return [[key, `"${value.slice(0, 60)}" must be ${what}`]];
  });
}

/** Problems of numbers out of range. */
export function ranges(inputs: Props, table: Record<string, [number, number]>): Problems {
  return Object.entries(table).flatMap(([key, [least, most]]): Problems => {
    const value = inputs[key];
    if (typeof value !== "number" || (value >= least && value <= most)) return [];
    return [[key, `${value} must be between ${least} and ${most}`]];
  });
}

/** Problems of values that are not in the API's list. */
export function oneOf(inputs: Props, table: Record<string, readonly (string | number)[]>): Problems {
  return Object.entries(table).flatMap(([key, allowed]): Problems => {
    const value = inputs[key];
    if (value === undefined || allowed.includes(value as string | number)) return [];
    return [[key, `${JSON.stringify(value)} must be one of ${allowed.join(", ")}`]];
  });
}

/** A JSON document of at most `most` characters, or what is wrong with it. */
export function jsonProblem(value: unknown, most: number): string | undefined {
  if (typeof value !== "string") return undefined;
  try {
    JSON.parse(value);
  } catch (error) {
    return `is no JSON: ${(error as Error).message}`;
  }
  // IAM does not count white space.
  const length = value.replace(/\s/g, "").length;
  return length > most ? `has ${length} characters, at most ${most} are taken` : undefined;
}
