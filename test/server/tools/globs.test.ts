import { expect, test } from "@jest/globals";
import { globMatcher } from "../../../server/tools/globs.ts";

test.each([
  ["*.ts", "src/deep/a.ts", true],
  ["*.ts", "a.tsx", false],
  ["*.{ts,tsx}", "src/a.tsx", true],
  ["**/*.{ts,tsx}", "a.ts", true],
  ["src/**/*.{js,mjs}", "src/x/y/a.mjs", true],
  ["src/**/*.{js,mjs}", "lib/a.mjs", false],
  ["{src,lib}/*.ts", "lib/a.ts", true],
  ["!*.test.ts", "src/a.ts", true],
  ["!*.test.ts", "src/a.test.ts", false],
  ["!src/**", "src/a.ts", false],
  ["app/[slug]/*.tsx", "app/[slug]/page.tsx", true],
  ["app/[[...all]]/*.tsx", "app/[[...all]]/page.tsx", true],
  ["[ab].ts", "b.ts", true],
  ["[ab].ts", "c.ts", false],
  ["/src/*.ts", "src/a.ts", true],
  ["./src/*.ts", "src/a.ts", true],
  ["src/", "src/deep/a.ts", true],
  ["**", ".github/ci.yml", true],
  ["*.yml", ".github/ci.yml", true],
  ["a?.ts", "ab.ts", true],
  ["(a).ts", "(a).ts", true],
  ["with space.ts", "x/with space.ts", true],
])("%s and %s: %s", (glob, path, expected) => expect(globMatcher(glob)(path)).toBe(expected));

test.each(["..", "../*.ts", "src/../../x", "", "!", "a\0b"])("%j is refused with examples", (glob) => {
  expect(() => globMatcher(glob)).toThrow('such as "*.ts"');
});
