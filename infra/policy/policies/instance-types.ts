import type { Environment } from "../context.ts";
import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

/** Families on the Nitro system. Only there are volumes NVMe devices, with the names that the machine mounts them by. */
export const FAMILIES = [
  ...["t4g", "m6g", "m7g", "m8g", "c6g", "c7g", "c8g", "r6g", "r7g", "r8g"],
  ...["t3", "t3a", "m6i", "m6a", "m7i", "m7a", "c6i", "c6a", "c7i", "c7a", "r6i", "r7i"],
] as const;

const SMALL = ["micro", "small", "medium", "large"];

/** Sizes by environment. A nano has 0.5 GiB of memory, too little for Node, NGINX and an index. */
export const SIZES: Record<Environment, readonly string[]> = {
  dev: SMALL,
  staging: [...SMALL, "xlarge", "2xlarge"],
  prod: [...SMALL, "xlarge", "2xlarge", "4xlarge"],
};

export const instanceTypes: EdgePolicy = ({ environment }) => ({
  ...about({
    name: "instance-types",
    severity: "medium",
    description: `Instances belong to the families ${FAMILIES.join(", ")}. Sizes in ${environment}: ${SIZES[environment].join(", ")}.`,
    reason:
      "other families are outdated or name the data volume differently. A typo in the size is expensive.",
    fix: "Set mcp-edge:instanceType: t4g.small, or add the type to infra/policy/policies/instance-types.ts in a reviewed change.",
  }),
  validateResource: on(TYPE.instance, ({ instanceType }, _, report) => {
    const [family = "", size = ""] = String(instanceType).split(".");
    if (!(FAMILIES as readonly string[]).includes(family) || !SIZES[environment].includes(size)) {
      report(`${instanceType} is not one of them`);
    }
  }),
});
