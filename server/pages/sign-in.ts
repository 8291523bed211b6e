import { PASSKEY_SCRIPT } from "../people/passkey-script.ts";
import { passkeyButton } from "../people/views.ts";
import { type Html, html } from "./html.ts";
import { type HtmlPage, type PageOptions, page } from "./layout.ts";

export interface SignInView {
  /** Where the person signs in. */
  readonly host: string;
  /** The name of the client that sent the person here; undefined: they came by themselves. */
  readonly client: string | undefined;
  readonly forms: PageOptions["forms"];
  /** Hidden fields of every form. */
  readonly csrf: string;
  readonly visit?: string;
  /** Why somebody who is signed in has to sign in again. */
  readonly reason?: string | undefined;
  /** What stands in the field. */
  readonly login?: string | undefined;
  /** Why the last attempt failed. */
  readonly problem?: string | undefined;
  /** Whether this server's own people may sign in, with a passkey or a password. Default: true. */
  readonly local?: boolean;
  /** For the browser's authenticator, JSON; undefined: no passkeys. */
  readonly passkeyOptions: string | undefined;
  /** Identity providers, each with a button. */
  readonly providers?: readonly ProviderButton[] | undefined;
}

export interface ProviderButton {
  /** Begins with a slash. */
  readonly href: string;
  readonly label: string;
}

/** Who are you? The first page of a client's sign-in, and the page before `/account` and `/status`. */
export function signInPage(view: SignInView): HtmlPage {
  const { host, client, reason, problem, passkeyOptions, local = true, providers = [] } = view;
  return page({
    title: problem === undefined ? "Sign in" : `${problem} Sign in`,
    width: "narrow",
    forms: view.forms,
    scripts: passkeyOptions === undefined ? [] : [PASSKEY_SCRIPT.path],
    body: html`<div class="card">
<h1>Sign in</h1>
<p class="muted">${client === undefined ? html`to <strong>${host}</strong>` : html`to connect <strong dir="auto">${client}</strong> to <strong>${host}</strong>`}</p>
${reason !== undefined && html`<div class="note"><p>${reason}</p></div>`}
${problem !== undefined && html`<div class="note bad" role="alert" id="problem"><p>${problem}</p></div>`}
${providers.map(({ href, label }) => html`<p><a class="button wide" href="${href}">Sign in with ${label}</a></p>\n`)}
${local ? localForms(view) : client !== undefined && html`<form method="post">${hiddenFields(view)}${CANCEL}</form>`}
</div>
${client !== undefined && html`<p class="muted small">Next, you will see what <span dir="auto">${client}</span> asks for, and decide.</p>`}`,
  });
}

const hiddenFields = ({ csrf, visit }: SignInView) =>
  html`<input type="hidden" name="csrf" value="${csrf}">${visit !== undefined && html`<input type="hidden" name="visit" value="${visit}">`}`;

/** Passkey or password, of this server's own people. */
function localForms(view: SignInView): Html {
  const { client, login = "", problem, passkeyOptions } = view;
  const hidden = hiddenFields(view);
  return html`${
    passkeyOptions !== undefined &&
    html`<form method="post">
${hidden}
${passkeyButton("get", passkeyOptions, "Sign in with a passkey")}
</form>`
  }
<form method="post">
${hidden}
<label>Login<input name="login" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required${login === "" && AUTOFOCUS}${problem !== undefined && INVALID} value="${login}"></label>
<label>Password<input name="password" type="password" autocomplete="current-password" maxlength="256" required${login !== "" && AUTOFOCUS}${problem !== undefined && INVALID}></label>
<label>One-time code <span class="hint">From your authenticator app, or a recovery code.</span><input name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="32" required${problem !== undefined && INVALID}></label>
<div class="actions"><button name="action" value="sign-in">Sign in</button>
${client !== undefined && CANCEL}</div>
${passkeyOptions !== undefined && WITHOUT_PASSWORD}
</form>`;
}

const CANCEL = html`<button class="quiet" name="action" value="abort" formnovalidate>Cancel</button>`;

/** For people who have a passkey and no password. The same form, so that the login is typed once. */
const WITHOUT_PASSWORD = html`<details class="more"><summary>Lost your passkey?</summary>
<p class="small">Where you have no password, a recovery code alone signs you in. Type your login, and the recovery code as the one-time code.</p>
<p><button class="quiet" name="action" value="sign-in" formnovalidate>Sign in without a password</button></p>
</details>`;

const AUTOFOCUS = html` autofocus`;
const INVALID = html` aria-invalid="true" aria-describedby="problem"`;

export interface ProviderProblem {
  readonly problem: string;
  readonly requestId: string;
  /** Path of the page with all ways to sign in; undefined: the sign-in is over. */
  readonly back: string | undefined;
  /** Where the provider asks for another account, where that could help. */
  readonly otherAccount: string | undefined;
}

/** A sign-in with an identity provider that came to nothing. */
export function providerProblemPage(view: ProviderProblem): HtmlPage {
  const { problem, requestId, back, otherAccount } = view;
  return page({
    title: "You are not signed in",
    width: "narrow",
    body: html`<div class="card">
<h1>You are not signed in</h1>
<div class="note bad" role="alert"><p>${problem}</p></div>
${otherAccount !== undefined && html`<p><a class="button wide" href="${otherAccount}">Use another account</a></p>\n`}
${back !== undefined && html`<p><a class="button wide${otherAccount !== undefined && " quiet"}" href="${back}">${otherAccount === undefined ? "Try again, or another way" : "Sign in another way"}</a></p>`}
<p class="muted small">For the operator of this server, who finds the reason in its log: request <code>${requestId}</code>.</p>
</div>`,
  });
}
