import { createHash } from "node:crypto";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
pre{background:#f3f5f7;padding:.8rem;overflow:auto;border-radius:6px}code{font:14px/1.5 ui-monospace,monospace}
td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}
@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#14171a}pre{background:#20252a}a{color:#8ab4f8}}`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** Nothing but the page's one style, named by its hash: no script, no picture, no frame round it. */
export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "cache-control": "no-cache",
} as const;

/** A whole page round `body`, which is HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${htmlSafe(title)}</title>
<style>${STYLE}</style>
<h1>${htmlSafe(title)}</h1>
${body}
</html>
`;
}

export function htmlSafe(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
