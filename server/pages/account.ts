import type { BrowserSession } from "../auth/oauth/browser-sessions.ts";
import type { Connection } from "../auth/oauth/connections.ts";
import type { Person } from "../auth/people.ts";
import type { WaysIn } from "../people/credentials.ts";
import { waysInSection } from "./account-ways-in.ts";
import { type ActionForm, actionForm } from "./action-form.ts";
import { type Html, html } from "./html.ts";
import { type HtmlPage, page } from "./layout.ts";
import { SCOPE_TEXT } from "./scopes.ts";
import { minutes, time } from "./time.ts";

/** What the page says after an action. */
const NOTICES = {
  "access-ended": "The client's access has ended.",
  "browser-signed-out": "The browser was signed out.",
  "browsers-signed-out": "All other browsers were signed out.",
  "passkey-added": "The passkey was added.",
  "passkey-renamed": "The passkey was renamed.",
  "passkey-removed": "The passkey was removed.",
  "password-changed": "The password was changed. All other browsers were signed out.",
  "authenticator-changed": "The authenticator app was changed. All other browsers were signed out.",
  "password-removed": "The password was removed.",
} as const;
export type AccountNotice = keyof typeof NOTICES;

export interface AccountFacts {
  readonly person: Person;
  readonly csrf: string;
  readonly connections: readonly Connection[];
  readonly sessions: readonly BrowserSession[];
  /** The session of this browser. */
  readonly current: string;
  /** How the person signs in; undefined where that is not this server's business. */
  readonly ways: WaysIn | undefined;
  /** Key of an AccountNotice; anything else says nothing. */
  readonly notice?: string | null;
  /** Why the last action was refused. */
  readonly problem?: string;
}

/** `/account`. Each button is a form of its own, with `action`: a word and what it is about, such as `revoke GRANT`. */
export function accountPage(facts: AccountFacts): HtmlPage {
  const { person, csrf, connections, sessions, current, ways, notice, problem } = facts;
  const form = actionForm(csrf);
  const said = Object.hasOwn(NOTICES, notice ?? "") ? NOTICES[notice as AccountNotice] : undefined;
  return page({
    title: problem ?? "Your account",
    forms: "self",
    links: [
      { href: "/#connect", text: "Connect" },
      ...(person.scopes.includes("ops") ? [{ href: "/status", text: "Status" }] : []),
    ],
    body: html`<h1 dir="auto">${person.name}</h1>
<p class="lead">Signed in as ${person.login}.</p>
${said !== undefined && html`<div class="note good" role="status"><p>${said}</p></div>`}
${problem !== undefined && html`<div class="note bad" role="alert"><p>${problem}</p></div>`}
<h2 id="clients">Connected clients</h2>
<div class="card">${
      connections.length > 0
        ? html`<ul class="rows">${connections.map((one) => connectionRow(one, form))}</ul>`
        : html`<p>No client may act in your name. <a href="/#connect">Connect one.</a></p>`
    }</div>
${ways && waysInSection(ways, csrf, form)}
<h2 id="browsers">Browsers</h2>
<div class="card"><ul class="rows">${browserRows(sessions, current, form)}</ul>
${sessions.length > 1 && html`<div class="foot">${form("end-others", "Sign out all others", "every browser but this one")}</div>`}</div>`,
  });
}

function connectionRow(connection: Connection, form: ActionForm): Html {
  const { grant, clientName, scopes, since, lastUsedAt } = connection;
  return html`<li><div>
<p><strong dir="auto">${clientName}</strong></p>
<p class="muted small">May ${[...new Set(scopes)].map((scope) => SCOPE_TEXT[scope]).join("; ")}.</p>
<p class="muted small">Connected ${time(since)}, last used ${time(lastUsedAt)}</p>
</div>${form(`revoke ${grant}`, "End access", clientName)}</li>\n`;
}

function browserRows(sessions: readonly BrowserSession[], current: string, form: ActionForm): Html[] {
  const newest = [...sessions].sort((one, other) => other.signedInAt - one.signedInAt);
  return newest.map(({ uid, signedInAt, how }) => {
    const here = uid === current;
    return html`<li><div>
<p><strong>${here ? "This browser" : "Another browser"}</strong></p>
<p class="muted small">Signed in ${time(signedInAt)}${how !== undefined && ` by ${how.replaceAll("-", " ")}`}</p>
</div>${here ? form("sign-out", "Sign out", "this browser") : form(`end ${uid}`, "Sign out", `the browser signed in ${minutes(signedInAt)}`)}</li>\n`;
  });
}
