import {
  type PolicyResource,
  type PolicyResourceOptions,
  type ResourceValidationArgs,
  UnknownValueError,
  unknownCheckingProxy,
} from "@pulumi/policy";
import type { PolicyContext } from "../../../infra/policy/context.ts";
import { policyPack } from "../../../infra/policy/pack.ts";

/** The engine's placeholder for a text that a preview does not know yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A resource as a test writes it down. */
export interface Made {
  type: string;
  name: string;
  props: Record<string, unknown>;
  protect?: boolean;
  provider?: Record<string, unknown>;
  /** Names of the resources that a property comes from. */
  from?: Record<string, string[]>;
}

/** A finding of a policy. Its kind is `unknown` if the policy could not decide during a preview. */
export interface Finding {
  policy: string;
  kind: "violation" | "unknown";
  text: string;
}

const urnOf = ({ type, name }: Made) => `urn:pulumi:test::mcp-edge::${type}::${name}`;

const optionsOf = ({ protect = false }: Made): PolicyResourceOptions => ({
  protect,
  ignoreChanges: [],
  aliases: [],
  customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
  additionalSecretOutputs: [],
});

/** The view that a policy gets. As in the SDK's server, reading an unknown value throws. */
function resourcesOf(all: Made[]): PolicyResource[] {
  const resources = all.map((made) => ({
    type: made.type,
    name: made.name,
    urn: urnOf(made),
    props: unknownCheckingProxy(made.props),
    opts: optionsOf(made),
    dependencies: [] as PolicyResource[],
    propertyDependencies: {} as Record<string, PolicyResource[]>,
    isType: () => false,
    asType: () => undefined,
    ...(made.provider
      ? { provider: { type: "pulumi:providers:aws", name: "aws", urn: "", props: made.provider } }
      : {}),
  }));
  all.forEach((made, i) => {
    for (const [property, names] of Object.entries(made.from ?? {})) {
      const found = resources.filter(({ name }) => names.includes(name));
      Object.assign(resources[i]?.propertyDependencies ?? {}, { [property]: found });
    }
  });
  return resources;
}

/** All findings of the pack for these resources. */
export async function check(all: Made[], context: Partial<PolicyContext> = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { policies } = policyPack({ environment: "prod", secrets: [], ...context });
  const resources = resourcesOf(all);
  const common = {
    stackTags: new Map(),
    getConfig: <T>() => ({}) as T,
    notApplicable: () => {
      throw new Error("no policy here calls it");
    },
  };
  for (const policy of policies) {
    const report = (text: string) => findings.push({ policy: policy.name, kind: "violation", text });
    const attempt = async (work: () => unknown) => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof UnknownValueError)) throw error;
        findings.push({ policy: policy.name, kind: "unknown", text: (error as Error).message });
      }
    };
    if ("validateStack" in policy)
      await attempt(() => policy.validateStack({ resources, ...common }, report));
    if (!("validateResource" in policy)) continue;
    for (const check of [policy.validateResource ?? []].flat()) {
      for (const resource of resources)
        await attempt(() => check({ ...resource, ...common } as ResourceValidationArgs, report));
    }
  }
  return findings;
}
