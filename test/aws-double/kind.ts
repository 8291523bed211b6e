import { createHash, randomBytes } from "node:crypto";
import type { Request } from "./iam/evaluate.ts";
import type { Role } from "./iam/principal.ts";
import type { TagRules } from "./limits.ts";
import type { Store, Stored } from "./store.ts";
import type { Props } from "./values.ts";

/** An error of AWS's API: its code and a message. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(code: string, message: string) {
    super(`api error ${code}: ${message}`);
  }
}

export interface Account {
  store: Store;
  region: string;
  account: string;
  partition: string;
  /** The role that runs the program: by default the deployer, under docs/deployer-policy.json. */
  role: Role;
  /** The edge's name in the role's policies; default any. */
  domain?: string;
  /** The stack that the role was created for. Default: the stack of the resource, as if each stack had its own role. */
  stackOfRole?: string;
  /** Policies in place of the role's. */
  policies?: Props[];
  /** Called with every request that is checked. */
  onRequest?: (request: Request) => void;
}

/** An input that names another resource by its id. */
export interface Reference {
  token: string;
  /** Whether the named resource may be deleted while this one exists. Default false. */
  weak?: boolean;
  /** The id in the input's value, e.g. the name in an ARN. Default: the value. */
  id?: (value: string) => string;
}

export interface Made {
  id: string;
  /** What the API computes; the inputs are added. */
  outs: Props;
}

/** One kind of resource: the inputs that the API accepts and refuses, and its outputs. */
export interface Kind {
  token: string;
  /** Inputs whose change replaces the resource. */
  replaces: readonly string[];
  /** Further inputs whose change replaces the resource, depending on the change. */
  replacesWhen?(before: Props, after: Props): string[];
  references?: Record<string, Reference>;
  /** An input that is generated from the resource's logical name if the program sets none. */
  autoName?: { input: string; separator?: string; max: number; lower?: boolean };
  /** Deleted before it is replaced, since two of one name cannot exist at once. */
  deleteBeforeReplace?: boolean;
  /** The API overwrites an existing resource instead of refusing the creation. */
  overwrites?: boolean;
  /** Default: what `checkTags` says. */
  tagRules?: TagRules;
  /** Problems of the inputs. The caller omits parts that are not known yet. @returns [input, reason] */
  check?(inputs: Props): [string, string][];
  /** Removes from the inputs what a denied request would have set, if the provider ignores that denial. */
  without?(inputs: Props, denied: readonly { action: string }[]): void;
  /** Called at each creation. @throws ApiError */
  make(inputs: Props, aws: Account): Made | Promise<Made>;
  /** Computed outputs after a change in place; default: those of before. @throws ApiError */
  change?(before: Stored, inputs: Props, aws: Account): Props | Promise<Props>;
  /** Checks a deletion beyond the references, and deletes dependent state. @throws ApiError */
  remove?(stored: Stored, aws: Account): void | Promise<void>;
  /** Its state beyond what is stored; undefined if it was deleted. */
  read?(stored: Stored, aws: Account): Props | undefined | Promise<Props | undefined>;
  /** Parts of this host that depend on it. */
  converges?: readonly Part[];
}

export type Part = "network" | "firewall" | "dns";

/** `vpc-0123456789abcdef0`: ids as EC2 makes them. */
export const newId = (prefix: string) => `${prefix}-0${randomBytes(8).toString("hex")}`;

export const shortHash = (value: string, length = 8) =>
  createHash("sha256").update(value).digest("hex").slice(0, length);

export const arn = (aws: Account, service: string, resource: string, region = aws.region) =>
  `arn:${aws.partition}:${service}:${region}:${aws.account}:${resource}`;

/** Tags as the API returns them. */
export const tagsAll = (inputs: Props) => ({ tagsAll: inputs.tags ?? {} });
