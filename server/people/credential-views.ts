import { type Html, html } from "../pages/html.ts";
import { type HtmlPage, page } from "../pages/layout.ts";
import { PASSKEY_SCRIPT } from "./passkey-script.ts";
import { PASSKEY_NAME_MAX } from "./passkeys.ts";
import type { NewTotp } from "./totp.ts";
import { newPasswordFields, newTotpFields, passkeyButton } from "./views.ts";

/** The pages on which people add and change what they sign in with. Pure functions. */

interface CredentialForm {
  readonly csrf: string;
  /** Why the last attempt was refused. */
  readonly problem?: string | undefined;
}

const BACK = [{ href: "/account", text: "Account" }] as const;

const alert = (problem: string | undefined): Html =>
  html`${problem !== undefined && html`<div class="note bad" role="alert" id="problem"><p>${problem}</p></div>`}`;

/** @param passkeyOptions for the browser's authenticator, JSON */
export function addPasskeyPage(view: CredentialForm & { readonly passkeyOptions: string }): HtmlPage {
  const { csrf, passkeyOptions, problem } = view;
  return page({
    title: "Add a passkey",
    width: "narrow",
    forms: "self",
    links: BACK,
    scripts: [PASSKEY_SCRIPT.path],
    body: html`<div class="card"><h1>Add a passkey</h1>
${alert(problem)}
<p>Your fingerprint, face or PIN on this device, or a security key.</p>
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<label>Name<span class="hint">To tell it from your others, such as “phone”.</span><input name="name" maxlength="${PASSKEY_NAME_MAX}" autocomplete="off" dir="auto"></label>
${passkeyButton("create", passkeyOptions, "Create a passkey")}
</form>
<noscript><div class="note warn"><p>A passkey needs JavaScript in this browser.</p></div></noscript>
<p><a href="/account">Back to your account</a></p></div>`,
  });
}

export interface PasswordView extends CredentialForm {
  readonly person: { readonly login: string };
  /** Whether there is a password already. */
  readonly has: boolean;
  readonly totp: NewTotp;
}

/** The password and the authenticator app: added together, changed one by one. */
export function passwordPage({ person, csrf, has, totp, problem }: PasswordView): HtmlPage {
  const hidden = (what: string) => html`<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="what" value="${what}">
<input type="hidden" name="login" autocomplete="username" value="${person.login}">`;
  const title = has ? "Change your password or app" : "Add a password and an app";
  const others = html`<p class="muted small">All your other browsers are signed out.</p>`;
  return page({
    title,
    width: "narrow",
    forms: "self",
    links: BACK,
    body: html`<h1>${title}</h1>
${alert(problem)}
${
  has
    ? html`<section class="card" aria-labelledby="new-password"><h2 id="new-password">New password</h2>
<form method="post">
${hidden("password")}
${newPasswordFields()}
${others}
<div class="actions"><button>Change the password</button></div>
</form></section>
<section class="card" aria-labelledby="new-app"><h2 id="new-app">New authenticator app</h2>
<form method="post">
${hidden("authenticator")}
${newTotpFields(totp)}
<p class="muted small">The app that you had shows codes that no longer work.</p>
${others}
<div class="actions"><button>Use this app</button></div>
</form></section>`
    : html`<section class="card" aria-label="${title}">
<form method="post">
${hidden("both")}
${newPasswordFields()}
${newTotpFields(totp)}
${others}
<div class="actions"><button>Save</button></div>
</form></section>`
}
<p><a href="/account">Back to your account</a></p>`,
  });
}
