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

/** Families of the Xen hypervisor (EC2 user guide, "Xen-based instances"); of i3 and p3 some sizes are of the Nitro system. */
const XEN =
  /^(m[1-4]|t[12]|c[134]|cc[12]|cr1|cg1|r[34]|x1e?|d2|h1|hi1|hs1|i[23]|f1|g[23]s?|p[23])\.(?!metal)/;

/** Whether the type is of the Nitro system, where EBS volumes are NVMe devices; Macs are, but run no Debian. */
export const isNitro = (instanceType: string): boolean =>
  !XEN.test(instanceType) && !instanceType.startsWith("mac");
