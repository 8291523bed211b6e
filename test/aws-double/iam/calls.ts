import { type Account, arn } from "../kind.ts";
import type { Store } from "../store.ts";
import { isObject, type Props, same } from "../values.ts";
import type { Context, Request } from "./evaluate.ts";

/** One request that the provider sends on behalf of a resource. */
export interface Call extends Request {
  /** The provider only logs a denial of this request. */
  tolerated?: boolean;
}

/** The resource of a call. Before its creation, its id is unknown. */
export interface Subject {
  aws: Account;
  id: string;
  inputs: Props;
}

/**
 * The requests of one kind of resource, as terraform-provider-aws sends them (its `resource…Create`, `Read`, `Update`,
 * `Delete`), each with the resources and condition keys of the service authorization reference.
 */
export interface Calls {
  make(subject: Subject): Call[];
  read(subject: Subject): Call[];
  /** @param changed inputs that differ, without `tags` */
  change?(subject: Subject, before: Props, changed: Set<string>): Call[];
  remove(subject: Subject): Call[];
  /** How tags are changed later; undefined: it has none. */
  tags?: {
    tag: string;
    untag: string;
    resource(subject: Subject): string;
    context?(subject: Subject): Context;
  };
}

export const tagsIn = (inputs: Props): Record<string, string> =>
  isObject(inputs.tags)
    ? Object.fromEntries(Object.entries(inputs.tags).map(([k, v]) => [k, String(v)]))
    : {};

export function requestTags(tags: Record<string, string>): Context {
  const keys = Object.keys(tags);
  if (keys.length === 0) return {};
  const each = Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value]);
  return { ...Object.fromEntries(each), "aws:TagKeys": keys };
}

export const resourceTags = (tags: Record<string, string>): Context =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));

/** The tags of a resource in the store. */
export const storedTags = (store: Store, token: string, id: string): Context =>
  resourceTags(tagsIn(store.get(token, id)?.inputs ?? {}));

export const call = (action: string, resource = "*", context: Context = {}): Call => ({
  action,
  resource,
  context,
});

export const calls = (actions: string, resource = "*", context: Context = {}): Call[] =>
  actions.split(" ").map((action) => call(action, resource, context));

/** The requests that change the tags of an existing resource. */
export function tagCalls({ tags }: Calls, subject: Subject, before: Props): Call[] {
  const old = tagsIn(before);
  const now = tagsIn(subject.inputs);
  if (!tags || same(old, now)) return [];
  const resource = tags.resource(subject);
  const own = tags.context?.(subject) ?? {};
  const set = Object.fromEntries(Object.entries(now).filter(([key, value]) => old[key] !== value));
  const gone = Object.keys(old).filter((key) => !(key in now));
  return [
    ...(gone.length > 0 ? [call(tags.untag, resource, { ...own, "aws:TagKeys": gone })] : []),
    ...(Object.keys(set).length > 0 ? [call(tags.tag, resource, { ...own, ...requestTags(set) })] : []),
  ];
}

/** `arn:aws:iam::111122223333:…` and others without a region. */
export const globalArn = (aws: Account, service: string, resource: string) => arn(aws, service, resource, "");
