import type * as pulumi from "@pulumi/pulumi";
import type { AwsSettings } from "../settings.ts";

export type Tags = Record<string, pulumi.Input<string>>;

/** The program's own tags, for resources that can have ten at most: S3 objects, and zones and health checks of Route 53. */
export const ownTags = ({
  stack,
  environment,
}: Pick<AwsSettings, "stack" | "environment">): Record<string, string> => ({
  Project: "mcp-edge",
  Stack: stack,
  Environment: environment,
  ManagedBy: "pulumi",
});

/**
 * The tags of every other resource of a stack: the user's, then the program's.
 * @returns among them Project, Stack, Environment and ManagedBy, for cost reports and for policies that match tags
 */
export const tagsOf = (settings: Pick<AwsSettings, "stack" | "environment"> & { tags: Tags }): Tags => ({
  ...settings.tags,
  ...ownTags(settings),
});

/** The tags with the name that AWS's console shows. It may change: a resource is identified by its name in the engine. */
export const named = (tags: Tags, name: string): Tags => ({ ...tags, Name: name });
