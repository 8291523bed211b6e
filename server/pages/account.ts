import type { BrowserSession } from "../auth/oauth/browser-sessions.ts";
import type { Connection } from "../auth/oauth/connections.ts";
import type { Person } from "../auth/people.ts";
import { type Html, html } from "./html.ts";
import { type HtmlPage, page } from "./layout.ts";
import { SCOPE_TEXT } from "./scopes.ts";

export interface AccountFacts {
  readonly person: Person;
  readonly csrf: string;
  readonly connections: readonly Connection[];
  readonly sessions: readonly BrowserSession[];
  /** The session of this browser. */
  readonly current: string;
}

/** `/account`. Each button is a form of its own, with `action`: `revoke GRANT`, `end SESSION` or `sign-out`. */
export function accountPage({ person, csrf, connections, sessions, current }: AccountFacts): HtmlPage {
  const form = (action: string, text: string, about: string) => html`<form method="post">
<input type="hidden" name="csrf" value="${csrf}"><button class="quiet" name="action" value="${action}" aria-label="${text}: ${about}">${text}</button></form>`;
  const connection = ({ grant, clientName, scopes, since, lastUsedAt }: Connection) => html`<li><div>
<p><strong>${clientName}</strong></p>
<p class="muted small">May ${[...new Set(scopes)].map((scope) => SCOPE_TEXT[scope]).join("; ")}.</p>
<p class="muted small">Connected ${time(since)}, last used ${time(lastUsedAt)}</p>
</div>${form(`revoke ${grant}`, "End access", clientName)}</li>\n`;
  const session = ({ uid, signedInAt, how }: BrowserSession) => html`<li><div>
<p><strong>${uid === current ? "This browser" : "Another browser"}</strong></p>
<p class="muted small">Signed in ${time(signedInAt)}${how !== undefined && ` by ${how.replaceAll("-", " ")}`}</p>
</div>${uid === current ? form("sign-out", "Sign out", "this browser") : form(`end ${uid}`, "Sign out", `the browser signed in ${minutes(signedInAt)}`)}</li>\n`;
  const newest = [...sessions].sort((one, other) => other.signedInAt - one.signedInAt);
  return page({
    title: "Your account",
    forms: "self",
    body: html`<h1>${person.name}</h1>
<p class="lead">Signed in as ${person.login}.</p>
<h2>Connected clients</h2>
<div class="card">${
      connections.length > 0
        ? html`<ul class="rows">${connections.map(connection)}</ul>`
        : html`<p>No client may act in your name. <a href="/#connect">Connect one.</a></p>`
    }</div>
<h2>Browsers</h2>
<div class="card"><ul class="rows">${newest.map(session)}</ul></div>`,
  });
}

/** `/account` where nobody is signed in. */
export function signedOutPage(): HtmlPage {
  return page({
    title: "Not signed in",
    width: "narrow",
    body: html`<div class="card"><h1>Nobody is signed in here</h1>
<p>You sign in when you connect a client. After that, this page shows what you have connected.</p>
<p><a class="button" href="/#connect">Connect a client</a></p></div>`,
  });
}

/** @param at milliseconds since 1970 */
function time(at: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${minutes(at)}</time>`;
}

const minutes = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
