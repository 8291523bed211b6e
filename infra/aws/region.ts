/** Partitions other than `aws`: their ARNs and host names differ, and the program writes those of `aws` (cn, us-gov, iso, eusc). */
const OTHER_PARTITIONS = /^(cn|us-gov|us-iso[a-z]*|eu-isoe|eusc)-/;

/**
 * Checks a region. Pure. @returns the problem, or undefined
 * @param region such as eu-central-1
 */
export function regionProblem(region: string): string | undefined {
  if (!/^[a-z]{2,4}(-[a-z]+)+-\d$/.test(region))
    return `aws:region is "${region}", no region such as eu-central-1`;
  return OTHER_PARTITIONS.test(region)
    ? `aws:region is ${region}, which is in another partition than "aws" (China, GovCloud, sovereign and isolated regions); these are not supported`
    : undefined;
}
