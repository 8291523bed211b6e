import { type Html, html } from "./html.ts";
import { STYLE_SHEET } from "./style.ts";

/** An answer that a browser shows: `reply.headers(headers).send(body)`. */
export interface HtmlPage {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface PageOptions {
  /** The title of the window. The body has its own `<h1>`. */
  readonly title: string;
  /** What stands in `<main>`. */
  readonly body: Html;
  /** `narrow`: one card with a form. Default: `wide`. */
  readonly width?: "narrow" | "wide";
  /**
   * Where the page's forms may lead: `"self"`, or beside that a redirect URI. Default: the page has no form. Browsers hold the redirects
   * after a form to `form-action` as well (CSP 3, section 6.4.1), and `*` does not cover custom schemes such as `cursor:`.
   */
  readonly forms?: "self" | { readonly redirect: string } | undefined;
  /** Whether the page is public, so that a browser may keep it and ask if it is still current. Default: it is never stored. */
  readonly public?: boolean;
  /** Links of the page's head. Default: none, so that nothing leads away from a form. */
  readonly links?: readonly { readonly href: string; readonly text: string }[];
  /** Paths of script files of this server. Default: the page has no script. */
  readonly scripts?: readonly string[];
  /** Paths of more style sheets of this server. */
  readonly styles?: readonly string[];
  /** Whether its scripts may ask this server. Default: no. */
  readonly live?: boolean;
}

/** The one layout: a head with the server's name, the page, a foot. */
export function page(options: PageOptions): HtmlPage {
  const { title, body, width = "wide", links = [], scripts = [], styles = [] } = options;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title === "mcp-edge" ? title : `${title} – mcp-edge`}</title>
<link rel="stylesheet" href="${STYLE_SHEET.path}">
${styles.map((path) => html`<link rel="stylesheet" href="${path}">\n`)}${scripts.map((path) => html`<script src="${path}" type="module"></script>\n`)}</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="/">${MARK} mcp-edge</a>
${links.length > 0 && html`<nav aria-label="Pages">${links.map(({ href, text }) => html`<a href="${href}">${text}</a>\n`)}</nav>`}
</header>
<main id="main"${width === "narrow" && html` class="narrow"`}>
${body}
</main>
<footer class="bottom"><p>mcp-edge: source code for AI clients, on a machine of your own</p></footer>
</body>
</html>
`;
  return { headers: pageHeaders(options), body: document.toString() };
}

/** Nothing but this server's own style sheet and the named scripts: no picture, no frame round the page. */
function pageHeaders(
  options: Pick<PageOptions, "forms" | "public" | "scripts" | "live">,
): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    ...(options.scripts?.length ? ["script-src 'self'"] : []),
    ...(options.live ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    `form-action ${formTargets(options.forms)}`,
    "frame-ancestors 'none'",
  ];
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy.join("; "),
    "cache-control": options.public ? "no-cache" : "no-store",
    // With `no-referrer` a browser sends `Origin: null` with a form, which is then refused as another site's (Fetch, section 3.2).
    ...(options.forms && { "referrer-policy": "same-origin" }),
  };
}

function formTargets(forms: PageOptions["forms"]): string {
  if (forms === undefined) return "'none'";
  if (forms === "self") return "'self'";
  const { protocol, origin } = new URL(forms.redirect);
  return `'self' ${protocol === "https:" || protocol === "http:" ? origin : protocol}`;
}

/** A wedge at an edge. It says nothing that the name beside it does not say. */
const MARK = html`<svg viewBox="0 0 32 32" aria-hidden="true" focusable="false"><rect width="32" height="32" rx="8" fill="currentColor" opacity=".16"/><path d="M8 22V10l8 7 8-7v12" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
