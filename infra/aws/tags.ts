import type { AwsSettings } from "../settings.ts";

export type Tags = Record<string, string>;

/**
 * The tags of every resource of a stack: the user's own, then ours, which win. Pure.
 * @returns Project, Stack, Environment and ManagedBy, for cost reports and for policies that go by tags
 */
export function tagsOf({ stack, environment, tags }: AwsSettings): Tags {
  return { ...tags, Project: "mcp-edge", Stack: stack, Environment: environment, ManagedBy: "pulumi" };
}

/** The same with the name that the console shows. A resource's Pulumi name is its identity; this one may change. */
export const named = (tags: Tags, name: string): Tags => ({ ...tags, Name: name });
