import { createHash, randomBytes } from "node:crypto";
import type { Request } from "./iam/evaluate.ts";
import type { Role } from "./iam/principal.ts";
import type { TagRules } from "./limits.ts";
import type { Store, Stored } from "./store.ts";
import type { Props } from "./values.ts";

/** What AWS's API would answer: its error code and a sentence. */
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
  /** The stack that the role was made for; default the one that a resource is of, as if each had its own. */
  stackOfRole?: string;
  /** Policies in place of the role's. */
  policies?: Props[];
  /** Hears of every request that is judged. */
  heard?: (request: Request) => void;
}

/** An input that names another resource by its id. */
export interface Reference {
  token: string;
  /** May the other one be deleted while this one is there? Default no. */
  weak?: boolean;
  /** The id in the input's value, e.g. the name in an ARN. Default: the value. */
  id?: (value: string) => string;
}

export interface Made {
  id: string;
  /** What the API computes; the inputs are added. */
  outs: Props;
}

/** One kind of resource: what the API takes, what it computes, what it refuses. */
export interface Kind {
  token: string;
  /** Inputs whose change makes another resource. */
  replaces: readonly string[];
  /** More of them, when it depends on what changed. */
  replacesWhen?(before: Props, after: Props): string[];
  references?: Record<string, Reference>;
  /** An input that is made up from the resource's logical name when the program gives none. */
  autoName?: { input: string; separator?: string; max: number; lower?: boolean };
  /** Replaced in place of itself: two of one name cannot be there at once. */
  deleteBeforeReplace?: boolean;
  /** The API writes over what is there instead of refusing it. */
  overwrites?: boolean;
  /** Default: what `checkTags` says. */
  tagRules?: TagRules;
  /** What is wrong with the inputs; parts that are not known yet are left out by the caller. @returns [input, reason] */
  check?(inputs: Props): [string, string][];
  /** What is missing from the inputs because a request was denied that the provider does not insist on. */
  without?(inputs: Props, denied: readonly { action: string }[]): void;
  /** Called at each creation. @throws ApiError */
  make(inputs: Props, aws: Account): Made | Promise<Made>;
  /** Computed outputs after a change in place; default: those of before. @throws ApiError */
  change?(before: Stored, inputs: Props, aws: Account): Props | Promise<Props>;
  /** What the API says against a deletion, beyond what references say; and what goes with it. @throws ApiError */
  remove?(stored: Stored, aws: Account): void | Promise<void>;
  /** Its state beyond what is stored; undefined: it is gone. */
  read?(stored: Stored, aws: Account): Props | undefined | Promise<Props | undefined>;
  /** Parts of the local machine that follow from it. */
  converges?: readonly Part[];
}

export type Part = "network" | "firewall" | "dns";

/** `vpc-0123456789abcdef0`: ids as EC2 makes them. */
export const newId = (prefix: string) => `${prefix}-0${randomBytes(8).toString("hex")}`;

export const shortHash = (value: string, length = 8) =>
  createHash("sha256").update(value).digest("hex").slice(0, length);

export const arn = (aws: Account, service: string, resource: string, region = aws.region) =>
  `arn:${aws.partition}:${service}:${region}:${aws.account}:${resource}`;

/** Tags as the API gives them back. */
export const tagsAll = (inputs: Props) => ({ tagsAll: inputs.tags ?? {} });
