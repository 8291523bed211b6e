/**
 * What an EC2 instance type says about itself: Graviton families carry a `g` after their generation (t4g, m8g, c7gn); a
 * `g` before it is another thing (g4dn has graphics cards). Pure.
 */
export function architectureOf(instanceType: string): "arm64" | "amd64" {
  return /^(a1|[a-z]+\d+[a-z-]*g)/.test(instanceType.split(".")[0] ?? "") ? "arm64" : "amd64";
}

/** Types that spend CPU credits. */
export const isBurstable = (instanceType: string): boolean => /^t\d/.test(instanceType);

/** The smallest type with 2 GiB, enough for two servers side by side during a release. */
export const defaultInstanceType = (architecture: string): string =>
  architecture === "amd64" ? "t3.small" : "t4g.small";
