import { describe, expect, test } from "@jest/globals";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { EngineError, eventLines } from "../../../cli/stack/engine-events.ts";
import { policyPacks } from "../../../cli/stack/policies.ts";

const event = (enforcementLevel: "warning" | "mandatory"): EngineEvent => ({
  sequence: 1,
  timestamp: 0,
  policyEvent: {
    resourceUrn: "urn:pulumi:prod::mcp-edge::aws:ebs/volume:Volume::prod-data",
    message:
      "<{%reset%}>Every volume is encrypted. Why: keys lie on it. Fix: encrypted: true<{%reset%}>\n  the volume is not encrypted\n",
    color: "raw",
    policyName: "encrypted-volumes",
    policyPackName: "mcp-edge",
    policyPackVersion: "0.1.0",
    policyPackVersionTag: "0.1.0",
    enforcementLevel,
  },
});

const text =
  "policy encrypted-volumes (prod-data): the volume is not encrypted. Every volume is encrypted. Why: keys lie on it. Fix: encrypted: true";

describe("policies", () => {
  test("apply to a stack in AWS, not to a machine on this host", () => {
    expect(policyPacks({ "mcp-edge:target": "aws" })).toEqual([expect.stringMatching(/\/infra\/policy$/)]);
    expect(policyPacks({ "mcp-edge:target": "local" })).toEqual([]);
    expect(policyPacks({})).toEqual([]);
  });

  test("that are mandatory are reported once as the reason of the failure", async () => {
    const lines = eventLines(() => {}, { preview: true });
    lines.onEvent(event("mandatory"));
    lines.onEvent(event("mandatory"));
    const failed = lines.explain(() => Promise.reject(new Error("code: 255, stdout: …")));
    await expect(failed).rejects.toThrow(new EngineError(text));
  });

  test("that are advisory are lines of the progress", () => {
    const progress: string[] = [];
    eventLines((line) => progress.push(line), { preview: true }).onEvent(event("warning"));
    expect(progress).toEqual([`advice of ${text}`]);
  });
});
