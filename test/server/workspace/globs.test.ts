import { expect, test } from "@jest/globals";
import { globFilter, globMatcher } from "../../../server/workspace/globs.ts";

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
  ["*.[!t]s", "a.ts", false],
  ["*.[!t]s", "a.js", true],
  ["*.{ts}", "a.ts", true],
  ["src/{x}.ts", "src/{x}.ts", true],
  ["@(a|b).*", "src/b.js", true],
  ["!(*.ts)", "a.js", true],
  ["!(*.ts)", "a.ts", false],
  ["src", "src/deep/a.ts", true],
  ["src/*", "src/deep/a.ts", false],
  ["src//*.ts", "src/a.ts", true],
  [" *.ts ", "a.ts", true],
  ["#a.ts", "src/#a.ts", true],
  ["src/**", "src/new\nline.ts", true],
  ["caf\u00e9/*", "cafe\u0301/a.ts", true],
])("%s and %s: %s", (glob, path, expected) => expect(globMatcher(glob)(path)).toBe(expected));

test.each(["..", "../*.ts", "src/../../x", "", "!", "a\0b"])("%j is refused with examples", (glob) => {
  expect(() => globMatcher(glob)).toThrow('such as "*.ts"');
});

test.each<[string[], string, string, boolean]>([
  [["*.ts", "*.js"], "", "src/a.js", true],
  [["!*.test.ts", "*.ts"], "", "a.test.ts", false],
  [["*.ts", "!*.test.ts"], "", "a.test.ts", false],
  [["!src"], "", "src/a.ts", false],
  [["!src"], "", "lib/a.ts", true],
  [["src/*.ts"], "src", "src/a.ts", true],
  [["*.ts"], "src", "src/deep/a.ts", true],
  [["deep/*.ts"], "src", "src/deep/a.ts", true],
  [["*.js"], "src/a.ts", "src/a.ts", true],
])("%j in %j and %s: %s", (globs, folder, path, expected) =>
  expect(globFilter(globs, folder)(path)).toBe(expected),
);
