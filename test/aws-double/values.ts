/**
 * Property values as the engine sends them over its protocol: plain JSON, with objects that carry a signature for what JSON
 * lacks (pulumi/sdk/proto, "property values"; the signatures are those of @pulumi/pulumi's runtime/rpc).
 */
export type Props = Record<string, unknown>;

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const isObject = (value: unknown): value is Props =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isUnknown = (value: unknown) => value === UNKNOWN;

/** A file or text that the program passed as an asset, with the engine's hash. It is kept unchanged. */
export interface Asset {
  path?: string;
  text?: string;
  hash?: string;
}

export const assetOf = (value: unknown): Asset | undefined =>
  isObject(value) && value[SIGNATURE] === ASSET ? (value as Asset) : undefined;

/** The value itself, with secrets unwrapped and references to resources replaced by ids. Unknown values stay marked. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  switch (value[SIGNATURE]) {
    case SECRET:
      return plain(value.value);
    case OUTPUT:
      return "value" in value ? plain(value.value) : UNKNOWN;
    case RESOURCE:
      return value.id;
    case ASSET:
      return value;
    default:
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
}

export const plainProps = (props: Props | undefined): Props => plain(props ?? {}) as Props;

/** Whether it contains a secret at any depth. */
export function holdsSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret);
  if (!isObject(value)) return false;
  return (
    value[SIGNATURE] === SECRET ||
    (value[SIGNATURE] === OUTPUT && value.secret === true) ||
    Object.values(value).some(holdsSecret)
  );
}

/** `outs` with those keys marked secret whose inputs had one, since a provider that accepts secrets must return them as such. */
export function withSecrets(outs: Props, inputs: Props): Props {
  const marked = Object.entries(outs).map(([key, value]) =>
    holdsSecret(inputs[key]) ? [key, { [SIGNATURE]: SECRET, value }] : [key, value],
  );
  return Object.fromEntries(marked);
}

/** Whether every part of it is known. */
export function isKnown(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isKnown);
  if (isObject(value)) return Object.values(value).every(isKnown);
  return !isUnknown(value);
}

/** Whether the content is equal, in any order of keys. For AWS's API an empty list or object equals an absent one. */
export const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

function canonical(value: unknown): string {
  const sorted = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.length === 0 ? undefined : inner.map(sorted);
    if (!isObject(inner)) return inner ?? undefined;
    // Assets are compared by content, not by path.
    const hash = assetOf(inner)?.hash;
    if (hash) return hash;
    const entries = Object.entries(inner)
      .filter(([key]) => key !== "__defaults")
      .map(([key, deep]) => [key, sorted(deep)] as const)
      .filter(([, deep]) => deep !== undefined)
      .sort(([x], [y]) => (x < y ? -1 : 1));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };
  return JSON.stringify(sorted(value)) ?? "";
}

// Reading of properties whose type the kind's own table has settled.

export const text = (props: Props, key: string): string =>
  props[key] === undefined || props[key] === null ? "" : String(props[key]);
export const texts = (props: Props, key: string): string[] =>
  Array.isArray(props[key]) ? (props[key] as unknown[]).map(String) : [];
export const number = (props: Props, key: string): number | undefined =>
  typeof props[key] === "number" ? (props[key] as number) : undefined;
export const object = (props: Props, key: string): Props =>
  isObject(props[key]) ? (props[key] as Props) : {};
export const objects = (props: Props, key: string): Props[] =>
  Array.isArray(props[key]) ? (props[key] as unknown[]).filter(isObject) : [];
