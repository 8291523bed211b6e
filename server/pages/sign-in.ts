import { PASSKEY_SCRIPT } from "../people/passkey-script.ts";
import { passkeyButton } from "../people/views.ts";
import { html } from "./html.ts";
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
  /** For the browser's authenticator, JSON; undefined: no passkeys. */
  readonly passkeyOptions: string | undefined;
}

/** Who are you? The first page of a client's sign-in, and the page before `/account` and `/status`. */
export function signInPage(view: SignInView): HtmlPage {
  const { host, client, csrf, visit, reason, login = "", problem, passkeyOptions } = view;
  const hidden = html`<input type="hidden" name="csrf" value="${csrf}">${visit !== undefined && html`<input type="hidden" name="visit" value="${visit}">`}`;
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
${
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
${client !== undefined && html`<button class="quiet" name="action" value="abort" formnovalidate>Cancel</button>`}</div>
${passkeyOptions !== undefined && WITHOUT_PASSWORD}
</form>
</div>
${client !== undefined && html`<p class="muted small">You see next what <span dir="auto">${client}</span> asks for, and decide then.</p>`}`,
  });
}

/** For people who have a passkey and no password. The same form, so that the login is typed once. */
const WITHOUT_PASSWORD = html`<details class="more"><summary>Lost your passkey?</summary>
<p class="small">Where you have no password, a recovery code alone signs you in. Type your login, and the recovery code as the one-time code.</p>
<p><button class="quiet" name="action" value="sign-in" formnovalidate>Sign in without a password</button></p>
</details>`;

const AUTOFOCUS = html` autofocus`;
const INVALID = html` aria-invalid="true" aria-describedby="problem"`;
