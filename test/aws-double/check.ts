import { randomBytes } from "node:crypto";
import type { Kind } from "./kind.ts";
import { checkTags } from "./limits.ts";
import { isKnown, type Props, plainProps } from "./values.ts";

interface Checked {
  inputs: Props;
  failures: { property: string; reason: string }[];
}

/** A name that the AWS provider generates: the logical name and seven hex digits, which stay the same for the resource's life. */
function madeUpName({ separator = "-", max, lower }: NonNullable<Kind["autoName"]>, logical: string): string {
  const name = `${lower ? logical.toLowerCase() : logical}`.slice(0, max - 8);
  return `${name}${separator}${randomBytes(4).toString("hex").slice(0, 7)}`;
}

/** The inputs as they will be used, and what is wrong with those that are known. */
export function checkAll(kind: Kind, logical: string, olds: Props, news: Props): Checked {
  const { autoName } = kind;
  const inputs = { ...news };
  const prefix = autoName && `${autoName.input}Prefix`;
  if (autoName && inputs[autoName.input] === undefined && inputs[prefix as string] === undefined) {
    // A name that the program no longer sets is not kept. The bridge marks the names that it generated.
    const before = plainProps(olds);
    const own = Array.isArray(before.__defaults) && before.__defaults.includes(autoName.input);
    inputs[autoName.input] = own ? before[autoName.input] : madeUpName(autoName, logical);
    inputs.__defaults = [autoName.input];
  }
  const known = Object.fromEntries(Object.entries(plainProps(inputs)).filter(([, value]) => isKnown(value)));
  const problems = [...checkTags(known, kind.tagRules), ...(kind.check?.(known) ?? [])];
  return { inputs, failures: problems.map(([property, reason]) => ({ property, reason })) };
}
