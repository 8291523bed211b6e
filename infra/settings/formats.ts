import ipaddr from "ipaddr.js";
import * as z from "zod";
import { cloneSource } from "../../cloud-init/settings.ts";
import { holdsCredentials, isCloneUrl } from "../../cloud-init/workspace-address.ts";
import { isNitro } from "../instance-types.ts";
import { CREDENTIALS_PARAMETER } from "../workspace-credentials.ts";
import { PROVIDER_SECRETS_PARAMETER } from "./identity-providers.ts";
import { text } from "./meta.ts";

/** Formats of values that the machine's files do not hold (those are in cloud-init/settings.ts). Messages never hold a value. */

const wrongRange = "must be an address range such as 203.0.113.0/24 or 2001:db8::/32";

/**
 * An address range in the one spelling that EC2 gives back (RFC 5952): another spelling of the same range would be refused beside
 * it (`InvalidPermission.Duplicate`), and would be a difference at each refresh. Host bits are zero, as security groups want it.
 */
export const cidr = z.string(wrongRange).transform((range, context) => {
  const refuse = (message: string) => {
    context.addIssue(message);
    return z.NEVER;
  };
  if (range.includes("%")) return refuse(wrongRange);
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(range)) {
    const [address, bits] = ipaddr.IPv4.parseCIDR(range);
    if (`${ipaddr.IPv4.networkAddressFromCIDR(range)}` !== `${address}`) return refuse(hostBits);
    return `${address}/${bits}`;
  }
  // An IPv6 address with an IPv4 part is no range of a security group.
  if (!ipaddr.IPv6.isValidCIDR(range) || range.includes(".")) return refuse(wrongRange);
  const [address, bits] = ipaddr.IPv6.parseCIDR(range);
  const network = ipaddr.IPv6.networkAddressFromCIDR(range);
  if (network.toString() !== address.toString()) return refuse(hostBits);
  return `${address.toRFC5952String()}/${bits}`;
});
const hostBits = "must have no bits set after the prefix";

/** A branch, a tag or a pattern of them (git-check-ref-format(1)), without what a shell or git would take for more. */
export const ref = text(
  /^(?!-)(?!.*(\.\.|\/\/|@\{))[A-Za-z0-9_.*/+-]{1,200}$/,
  "the name of a branch or tag, or a pattern such as v*",
);

/** A folder on this host, or the URL of a git repository as the machine can clone it. */
export const workspace = z
  .string("must be a folder or a URL")
  .min(1, "must be a folder or a URL")
  .superRefine((value, context) => {
    if (holdsCredentials(value))
      context.addIssue(
        "must not hold credentials, which everybody on the machine could read; take them out of the address",
      );
    else if (isCloneUrl(value) && !cloneSource.safeParse(value).success)
      context.addIssue("must be a URL without blanks and quotes");
  });

/** The machine finds its data volume by the name that NVMe gives it, so the type must be one of the Nitro system. */
export const instanceType = text(
  /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/,
  "an EC2 instance type such as t4g.small",
).refine(
  isNitro,
  'must be of the Nitro system, which the data volume needs (EC2 user guide, "Nitro-based instances"); take its successor, such as t3 for t2, m5 for m4',
);

/** What CloudWatch Logs takes as `retentionInDays`. */
const RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const retentionDays = z
  .int(`must be one of ${RETENTIONS.join(", ")}`)
  .refine((days) => RETENTIONS.includes(days), `must be one of ${RETENTIONS.join(", ")}`);

/** Tags that the program sets itself (aws/tags.ts, aws/backups.ts). */
const OWN_TAGS = ["Project", "Stack", "Environment", "ManagedBy", "Name", "Backups", "Bucket"] as const;

/** Most resources take 50 tags (EC2 user guide, "Tag restrictions"). */
const MOST_TAGS = 50 - OWN_TAGS.length;

const tagName = text(/^[\p{L}\p{N} _.:/+@-]{1,128}$/u, "a tag: letters, digits, blanks and _ . : / + @ -");

/** IAM tells keys apart without their case ("Duplicate tag keys found"), and conditions on aws:RequestTag read them so. */
export const tags = z
  .record(
    tagName.refine((name) => !/^aws:/i.test(name), "must not begin with aws:"),
    text(/^[\p{L}\p{N} _.:/=+@-]{0,256}$/u, "a tag's value: letters, digits, blanks and _ . : / = + @ -"),
    "must be names with values",
  )
  .superRefine((all, context) => {
    const names = Object.keys(all);
    const refuse = (name: string, why: string) =>
      context.addIssue({
        code: "custom",
        path: [name],
        message: `must not be set: ${why}`,
        params: { remove: true },
      });
    const last = names[MOST_TAGS];
    if (last !== undefined) refuse(last, `${MOST_TAGS} tags are allowed, and these are ${names.length}`);
    const taken = new Map<string, string>();
    for (const name of names) {
      const own = OWN_TAGS.find((one) => one.toLowerCase() === name.toLowerCase());
      const other = taken.get(name.toLowerCase());
      if (own) refuse(name, `the tag ${own} is the program's own, and AWS does not tell them apart by case`);
      else if (other) refuse(name, `there is ${other}, and IAM does not tell them apart by case`);
      taken.set(name.toLowerCase(), name);
    }
  });

/** Values of the server's environment. Keys become names of SSM parameters and of environment variables. */
export const secrets = z.record(
  text(/^[A-Z][A-Z0-9_]{0,99}$/, "a name such as API_KEY")
    .refine(
      (name) => name !== CREDENTIALS_PARAMETER,
      "must not be set: that is the setting workspaceCredentials",
    )
    .refine(
      (name) => name !== PROVIDER_SECRETS_PARAMETER,
      "must not be set: that is the setting identityProviderSecrets",
    ),
  z
    .string("must be a text")
    .min(1, "must not be empty")
    .refine((value) => !/[\n\r\0]/.test(value), "must be one line")
    // Systems Manager reads it as a reference: "Parameter value can't nest another parameter".
    .refine((value) => !value.includes("{{"), 'must not hold "{{", which no parameter of Systems Manager can')
    .refine((value) => Buffer.byteLength(value) <= 4096, "must have 4096 bytes at most"),
  "must be names with values",
);
