import type { Environment } from "../context.ts";
import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

/** Families on the Nitro system: only there are volumes NVMe devices with the names that the machine mounts by. */
export const FAMILIES = [
  ...["t4g", "m6g", "m7g", "m8g", "c6g", "c7g", "c8g", "r6g", "r7g", "r8g"],
  ...["t3", "t3a", "m6i", "m6a", "m7i", "m7a", "c6i", "c6a", "c7i", "c7a", "r6i", "r7i"],
] as const;

const SMALL = ["micro", "small", "medium", "large"];

/** Sizes by environment. nano has 0.5 GiB of memory: Node, NGINX and an index do not fit. */
export const SIZES: Record<Environment, readonly string[]> = {
  dev: SMALL,
  staging: [...SMALL, "xlarge", "2xlarge"],
  prod: [...SMALL, "xlarge", "2xlarge", "4xlarge"],
};

export const instanceTypes: EdgePolicy = ({ environment }) => ({
  ...about({
    name: "instance-types",
    severity: "medium",
    description: `Instances are of the families ${FAMILIES.join(", ")}; in ${environment} ${SIZES[environment].join(", ")}.`,
    reason:
      "another family mounts its data volume under another name or is not of this decade; a slip of the pen in the size is a bill.",
    mend: "mcp-edge:instanceType: t4g.small, or add the type to infra/policy/policies/instance-types.ts in a reviewed change.",
  }),
  validateResource: on(TYPE.instance, ({ instanceType }, _, report) => {
    const [family = "", size = ""] = String(instanceType).split(".");
    if (!(FAMILIES as readonly string[]).includes(family) || !SIZES[environment].includes(size)) {
      report(`${instanceType} is not one of them`);
    }
  }),
});
