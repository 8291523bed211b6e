import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { projectRoot } from "../../infra/paths.ts";
import { targetOf } from "./team.ts";

/** The policy packs that a stack is held to: what is made in AWS has ours; a machine on this host needs none. */
export function policyPacks(config: Record<string, string>): string[] {
  return targetOf(config) === "aws" ? [join(projectRoot, "infra/policy")] : [];
}

/** One violation as a line: which policy, which resource, the rule with its reason, and what was found. */
export function violation(event: NonNullable<EngineEvent["policyEvent"]>): string {
  const resource = event.resourceUrn?.split("::").at(-1);
  const text = event.message.replace(/<\{%[^%]*%\}>/g, "").trim();
  const [rule = "", ...found] = text.split("\n");
  const where = resource ? ` (${resource})` : "";
  return `policy ${event.policyName}${where}: ${[...found.map((line) => line.trim()), rule].filter(Boolean).join(". ")}`;
}
