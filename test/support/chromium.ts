import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { installPackages } from "../../infra/local/apt.ts";
import { onPath } from "../../infra/local/host.ts";

/** Where screenshots of the pages are kept. Ignored by git. */
const SCREENSHOTS = join(import.meta.dirname, "../../.mcp-edge/screenshots");

/**
 * Debian's Chromium. Root without one gets it by apt, as CI does; nobody else's machine is changed.
 * @param args more of its own options @returns why there is none
 */
export async function openChromium(args: string[] = []): Promise<Browser | string> {
  if (!onPath("chromium")) {
    if (process.getuid?.() !== 0 || !onPath("apt-get"))
      return "there is no chromium here: apt-get install chromium";
    await installPackages(() => (onPath("chromium") ? [] : ["chromium", "fonts-dejavu-core"]));
  }
  // As root Chromium has no sandbox; it sees nothing but our own pages.
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", ...args],
    timeout: PAGE_MS,
  });
}

/** For the browser's start and for what a page shows next, milliseconds: on a slow host, that takes seconds. */
export const PAGE_MS = 60_000;

/** Width of a small phone, CSS pixels. */
export const PHONE = 360;

/** What the page logged as an error, and what its scripts threw. */
export type WatchedPage = Page & { readonly problems: string[] };

/** A page of a fresh browser: no cookies, no passkeys. */
export async function freshPage(browser: Browser, options?: BrowserContextOptions): Promise<WatchedPage> {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(PAGE_MS);
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  return Object.assign(page, { problems });
}

/** The page in both themes and at the widths of a phone and a desktop: `NAME-light-360.png` and so on. */
export async function screenshots(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  for (const width of [PHONE, 1280])
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      await page.screenshot({
        path: join(SCREENSHOTS, `${name}-${colorScheme}-${width}.png`),
        fullPage: true,
      });
    }
}
