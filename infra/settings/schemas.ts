import type * as z from "zod";
import type { Shape, Target } from "./meta.ts";
import { aws } from "./schema-aws.ts";
import { local } from "./schema-local.ts";

/** The schemas of all settings, by target. A setting is written there and nowhere else. */
export const SCHEMAS = { local, aws };

/** Settings of earlier versions, and what took their place. */
export const RETIRED: Readonly<Record<string, (stack: string) => string>> = {
  machine: (stack) =>
    `is now a command: npm run mcp-edge -- replace --stack ${stack}, which replaces one machine after the other`,
};

export type Schemas = Record<Target, Shape>;

interface Stack<T extends Target> {
  stack: string;
  target: T;
}

type Values<S extends Shape> = { [K in Exclude<keyof S, "target">]: z.output<S[K]> };

export type LocalSettings = Stack<"local"> & Values<typeof local>;
export type AwsSettings = Stack<"aws"> & Values<typeof aws>;
export type Settings = LocalSettings | AwsSettings;
/** What every target has. */
export type CommonSettings = Pick<LocalSettings, keyof LocalSettings & keyof AwsSettings>;
