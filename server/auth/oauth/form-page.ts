import { htmlSafe, PAGE_HEADERS, page } from "../../http/page.ts";

export interface HtmlPage {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** What a person sees when a client sent them here with a request that cannot be answered by a redirect. */
export function errorPage(error: string, description: string | undefined): HtmlPage {
  const text = description ?? "The request could not be understood.";
  return {
    headers: { ...PAGE_HEADERS, "cache-control": "no-store" },
    body: page(
      "This sign-in cannot go on",
      `<p>${htmlSafe(text)} (<code>${htmlSafe(error)}</code>)</p>
<p>Go back to the program that sent you here and connect again. If it fails again, show this page to whoever runs this server.</p>`,
    ),
  };
}

/**
 * A page with a form that may lead to `redirect` in the end. Browsers hold the redirects after a form against `form-action` (CSP 3, section
 * 6.4.1), and `*` does not cover custom schemes such as `cursor:`.
 */
export function formPage(title: string, body: string, redirect: string): HtmlPage {
  const { protocol, origin } = new URL(redirect);
  const target = protocol === "https:" || protocol === "http:" ? origin : protocol;
  const csp = PAGE_HEADERS["content-security-policy"].replace(
    "form-action 'none'",
    `form-action 'self' ${target}`,
  );
  return {
    headers: { ...PAGE_HEADERS, "cache-control": "no-store", "content-security-policy": csp },
    body: page(title, body),
  };
}
