import type { InteractionDetails } from "../auth/oauth/interaction.ts";
import { PASSKEY_SCRIPT } from "../people/passkey-script.ts";
import { passkeyButton } from "../people/views.ts";
import { html } from "./html.ts";
import { type HtmlPage, page } from "./layout.ts";

/**
 * The first page of a client's sign-in: who are you?
 *
 * @param problem why the last attempt failed
 * @param passkeyOptions for the browser's authenticator, JSON; undefined: no passkeys
 */
export function signInPage(details: InteractionDetails, problem?: string, passkeyOptions?: string): HtmlPage {
  const { client, csrf, loginHint = "", resource } = details;
  return page({
    title: problem === undefined ? "Sign in" : `${problem} Sign in`,
    width: "narrow",
    forms: { redirect: details.redirect.uri },
    scripts: passkeyOptions === undefined ? [] : [PASSKEY_SCRIPT.path],
    body: html`<div class="card">
<h1>Sign in</h1>
<p class="muted">to connect <strong>${client.name}</strong> to <strong>${new URL(resource).host}</strong></p>
${problem !== undefined && html`<div class="note bad" role="alert" id="problem"><p>${problem}</p></div>`}
${
  passkeyOptions !== undefined &&
  html`<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
${passkeyButton("get", passkeyOptions, "Sign in with a passkey")}
</form>`
}
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<label>Login<input name="login" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required${loginHint === "" && AUTOFOCUS}${problem !== undefined && INVALID} value="${loginHint}"></label>
<label>Password<input name="password" type="password" autocomplete="current-password" maxlength="256" required${loginHint !== "" && AUTOFOCUS}${problem !== undefined && INVALID}></label>
<label>One-time code <span class="hint">From your authenticator app, or a recovery code.</span><input name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="32" required${problem !== undefined && INVALID}></label>
<div class="actions"><button name="action" value="sign-in">Sign in</button>
<button class="quiet" name="action" value="abort" formnovalidate>Cancel</button></div>
</form>
</div>
<p class="muted small">You see next what ${client.name} asks for, and decide then.</p>`,
  });
}

const AUTOFOCUS = html` autofocus`;
const INVALID = html` aria-invalid="true" aria-describedby="problem"`;
