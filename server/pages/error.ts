import { type Html, html } from "./html.ts";
import { type HtmlPage, page } from "./layout.ts";

/**
 * What a person sees when a client sent them here with a request that cannot be answered by a redirect.
 *
 * @param error an OAuth error code (RFC 6749, section 4.1.2.1)
 */
export function errorPage(error: string, description: string | undefined): HtmlPage {
  return failedPage(
    description ?? "The request could not be understood.",
    html`<p>Go back to the program that sent you here and connect again.</p>
<p class="muted">If it fails again, show this page to the operator of this server. The error code is <code>${error}</code>.</p>`,
  );
}

/** What somebody sees who came by themselves and cannot sign in. @param path where to try again */
export function signInFailedPage(problem: string, path: string): HtmlPage {
  return failedPage(problem, html`<p><a class="button" href="${path}">Try again</a></p>`);
}

function failedPage(problem: string, next: Html): HtmlPage {
  return page({
    title: "This sign-in cannot continue",
    width: "narrow",
    body: html`<div class="card">
<h1>This sign-in cannot continue</h1>
<div class="note bad" role="alert"><p>${problem}</p></div>
${next}
</div>`,
  });
}
