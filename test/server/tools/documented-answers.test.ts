import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { answerText } from "../../../server/tools/answers/text.ts";
import { TOOLS } from "../../../server/tools/index.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

const DOCUMENT = readFileSync("docs/tools.md", "utf8");

/** The calls in the document, each with its answer. */
const EXAMPLES = [...DOCUMENT.matchAll(/^```\n(\w+) (\{.*\})\n\n([\s\S]*?)\n```$/gm)].map(
  ([, tool = "", args = "", answer = ""]) => ({ tool, args, answer }),
);

/** The repository of the examples. */
const FILES = {
  "README.md": "# Shop\n\nPrices and orders.\n",
  "src/money.ts": [
    "/** An amount in cents, as people write it. */",
    "export function euros(cents: number): string {",
    '  return (cents / 100).toFixed(2).replace(".", ",").concat(" €");',
    "}",
    "",
  ].join("\n"),
  "src/cart.ts": [
    'import { euros } from "./money.ts";',
    "",
    "export class Cart {",
    "  #cents: number[] = [];",
    "",
    "  add(cents: number): void {",
    "    this.#cents.push(cents);",
    "  }",
    "",
    "  /** The sum of all prices, for the customer. */",
    "  total(): string {",
    "    return euros(this.#cents.reduce((sum, cents) => sum + cents, 0));",
    "  }",
    "}",
    "",
  ].join("\n"),
  "src/receipt.ts": [
    'import type { Cart } from "./cart.ts";',
    "",
    'export const receipt = (cart: Cart): string => "Total: ".concat(cart.total());',
    "",
  ].join("\n"),
  "test/cart.test.ts": [
    'import { Cart } from "../src/cart.ts";',
    "",
    'test("the total of an empty cart", () => {',
    '  expect(new Cart().total()).toBe("0,00 €");',
    "});",
    "",
  ].join("\n"),
};

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeCodeFixture(FILES);
  await fixture.index.refreshPrecise();
}, 120_000);
afterAll(() => fixture?.remove());

describe("docs/tools.md", () => {
  test("has examples", () => expect(EXAMPLES.length).toBeGreaterThanOrEqual(6));

  test.each(EXAMPLES)("shows what $tool answers to $args", async ({ tool: name, args, answer }) => {
    const tool = TOOLS.find((one) => one.name === name);
    if (!tool) throw new Error(`there is no tool ${name}`);
    const given = answerText(tool, await fixture.call(tool, JSON.parse(args)));
    expect(withoutState(given)).toBe(withoutState(answer));
  });

  test("has a call that each tool accepts", () => {
    const rows = [...DOCUMENT.matchAll(/^\| `(\w+)`.*?\| `(\{.*?\})` \|/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(17);
    for (const [, name, args = ""] of rows) {
      const tool = TOOLS.find((one) => one.name === name);
      expect([name, tool?.input.safeParse(JSON.parse(args)).error]).toEqual([name, undefined]);
    }
  });
});

/** Each run makes another commit. */
const withoutState = (text: string) => text.replace(/^\[code at \w+, committed [^\]]+\]$/m, "[code]");
