import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { kinds } from "./kinds.ts";

/** The double must use the types and inputs of @pulumi/aws. A misspelled one would never fail a check. */
const sdk = dirname(createRequire(import.meta.url).resolve("@pulumi/aws/package.json"));

const sourceOf = (token: string) => readFileSync(join(sdk, `${token.split(":")[1]}.js`), "utf8");

const names = (source: string) => [...source.matchAll(/resourceInputs\["(\w+)"\]/g)].map((match) => match[1]);

test.each([...kinds.keys()])("the SDK has the resource type %s and its inputs", (token) => {
  const source = sourceOf(token);
  expect(source).toContain(`__pulumiType = '${token}'`);
  const known = names(source);
  const kind = kinds.get(token);
  const named = [
    ...(kind?.replaces ?? []),
    ...Object.keys(kind?.references ?? {}),
    ...(kind?.autoName ? [kind.autoName.input] : []),
  ];
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});
