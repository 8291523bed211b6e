import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect } from "@jest/globals";
import type { Page } from "playwright-core";
import { PHONE, screenshots } from "./chromium.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * Checks what a page shows now. In both themes axe-core finds nothing serious; every visible control is reached by Tab; nothing is wider
 * than a phone, and nothing scrolls sideways there but tables of figures. Keeps screenshots.
 */
export async function checkPage(page: Page, name: string): Promise<void> {
  await screenshots(page, name);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // Evaluated by the debugger, so the policy of the page does not matter.
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as Axe).axe.run();
      return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((n) => n.html)}`);
    });
    expect(found.filter((line) => /^(serious|critical)/.test(line))).toEqual([]);
  }
  await page.setViewportSize({ width: PHONE, height: 800 });
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(PHONE);
  expect(await page.evaluate(SIDEWAYS)).toEqual([]);
  const count = (await page.evaluate(`${CONTROLS}.length`)) as number;
  expect(await reachedByTab(page, count)).toBe(count);
}

async function reachedByTab(page: Page, count: number): Promise<number> {
  await page.evaluate("document.activeElement?.blur()");
  const reached = new Set<number>();
  for (let at = 0; at <= count; at++) {
    await page.keyboard.press("Tab");
    const index = (await page.evaluate(`${CONTROLS}.indexOf(document.activeElement)`)) as number;
    if (index >= 0) reached.add(index);
  }
  return reached.size;
}

const FOCUSABLE = "a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex='0']";
const CONTROLS = `[...document.querySelectorAll(${JSON.stringify(FOCUSABLE)})].filter((one) => one.checkVisibility())`;

/** Elements that have to be scrolled sideways. A table of figures may: its columns belong together (WCAG 1.4.10). */
const SIDEWAYS = `[...document.querySelectorAll("main *")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
  .filter((one) => one.getAttribute("aria-label") !== "The hour as a table")
  .map((one) => one.outerHTML.slice(0, 120))`;

interface Axe {
  axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
}
