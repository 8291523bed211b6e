import { parse } from "node-html-parser";
import { CheckFailure } from "../check.ts";
import type { Attempt } from "./attempt.ts";
import { authorizeUrl, codeOf, resourcesOf, Visit } from "./authorization.ts";
import { oauthErrorOf, type Reply } from "./http.ts";
import type { Step } from "./step.ts";

/** How long a person may take, milliseconds. */
const PERSON_MS = 300_000;

/** Takes the part of the person in the browser. @returns the URL that the client is called back at */
export type SignIn = (attempt: Attempt, url: URL, signal: AbortSignal) => Promise<URL>;

/**
 * Signs in by a one-time link, as the machine's own command makes one, and agrees on the consent page.
 * @param link made for each client: it works once
 */
export function byLink(link: (signal: AbortSignal) => Promise<URL>): SignIn {
  return async (attempt, url, signal) => {
    const visit = new Visit(attempt);
    const entered = await visit.open(await link(signal), signal);
    if (entered.page === undefined || entered.page.status >= 400)
      throw new CheckFailure(
        `the sign-in link was refused: ${entered.page ? oauthErrorOf(entered.page) : ""}`,
      );
    let { page, callback } = await visit.open(url, signal);
    for (let pages = 0; callback === undefined && pages < 3; pages++) {
      if (page === undefined) break;
      const { action, form } = consentForm(page);
      ({ page, callback } = await visit.open(action, signal, form));
    }
    if (callback === undefined)
      throw new CheckFailure(
        `after consent there is a page instead of a redirect: ${page ? oauthErrorOf(page) : ""}`,
      );
    return callback;
  };
}

/** The form that a person sends by the page's first button. */
function consentForm(page: Reply): { action: URL; form: URLSearchParams } {
  const root = parse(page.body);
  const element = root.querySelector("form[method=post]");
  if (page.status !== 200 || element === null)
    throw new CheckFailure(`no consent form: ${oauthErrorOf(page)}`);
  const form = new URLSearchParams();
  for (const input of element.querySelectorAll("input")) {
    const name = input.getAttribute("name");
    const type = input.getAttribute("type") ?? "text";
    if (name === undefined || (["checkbox", "radio"].includes(type) && !input.hasAttribute("checked")))
      continue;
    form.append(name, input.getAttribute("value") ?? "");
  }
  const button = element.querySelector("button[name]");
  if (button) form.append(button.getAttribute("name") ?? "", button.getAttribute("value") ?? "");
  return { action: new URL(element.getAttribute("action") || page.url.href, page.url), form };
}

/** @param signIn who signs in */
export const signInStep = (signIn: SignIn): Step => ({
  id: "sign-in",
  title: "Consent and redirect",
  needs: ["authorization"],
  limitMs: PERSON_MS,
  tried: (attempt) => `sign in, agree, and be sent to ${attempt.shape.redirectUri}`,
  async run(attempt, signal) {
    const [resource] = resourcesOf(attempt);
    const callback = await signIn(attempt, authorizeUrl(attempt, resource), signal);
    attempt.code = codeOf(callback, attempt);
    return `code, state${callback.searchParams.has("iss") ? ", iss" : ""}`;
  },
  fix: "Read the server's side of the attempt; on a machine of this project: mcp-edge oauth trace",
});
