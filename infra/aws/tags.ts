import type { AwsSettings } from "../settings.ts";

export type Tags = Record<string, string>;

/** The program's own tags, for what takes no more than ten: S3 objects, and zones and health checks of Route 53. Pure. */
export const ownTags = ({ stack, environment }: Pick<AwsSettings, "stack" | "environment">): Tags => ({
  Project: "mcp-edge",
  Stack: stack,
  Environment: environment,
  ManagedBy: "pulumi",
});

/**
 * The tags of every other resource of a stack: the user's, then the program's. Pure.
 * @returns Project, Stack, Environment and ManagedBy, for cost reports and for policies that go by tags
 */
export const tagsOf = (settings: AwsSettings): Tags => ({ ...settings.tags, ...ownTags(settings) });

/** The same with the name that the console shows. A resource's Pulumi name is its identity; this one may change. */
export const named = (tags: Tags, name: string): Tags => ({ ...tags, Name: name });
