import { encode } from "uqr";
import { COPY_SCRIPT, copyButton } from "../pages/copy.ts";
import { type Html, html } from "../pages/html.ts";
import { type HtmlPage, page } from "../pages/layout.ts";
import { PASSKEY_SCRIPT } from "./passkey-script.ts";
import { PASSWORD_MAX, PASSWORD_MIN } from "./password.ts";
import type { StoredPerson } from "./people-store.ts";
import type { NewTotp } from "./totp.ts";

/** The pages of enrolment. Pure functions. */

export interface EnrolView {
  readonly person: StoredPerson;
  readonly host: string;
  readonly csrf: string;
  /** For the browser's authenticator, JSON. */
  readonly passkeyOptions: string;
  readonly totp: NewTotp;
  /** Why the last attempt was refused. */
  readonly problem?: string | undefined;
}

/** A button that the script shows where the browser knows passkeys. */
export function passkeyButton(how: "get" | "create", options: string, label: string): Html {
  return html`<div hidden>
<input type="hidden" name="passkey" value="">
<p role="status" data-problem></p>
<p><button type="button" class="wide" data-passkey="${how}" data-options="${options}">${label}</button></p>
</div>`;
}

export function enrolPage({ person, host, csrf, passkeyOptions, totp, problem }: EnrolView): HtmlPage {
  return page({
    title: problem === undefined ? "Choose how to sign in" : `${problem} Choose how to sign in`,
    width: "narrow",
    forms: "self",
    scripts: [PASSKEY_SCRIPT.path],
    body: html`<h1>Choose how to sign in</h1>
<p>Welcome, ${person.name}. Your login on <strong>${host}</strong> is <strong>${person.login}</strong>.</p>
${problem !== undefined && html`<div class="note bad" role="alert" id="problem"><p>${problem}</p></div>`}
<section class="card" aria-labelledby="with-passkey">
<h2 id="with-passkey">With a passkey</h2>
<p>Your fingerprint, face or PIN on this device, or a security key. Nothing to remember, and nothing that can be stolen from this server.</p>
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="how" value="passkey">
${passkeyButton("create", passkeyOptions, "Create a passkey")}
</form>
</section>
<section class="card" aria-labelledby="with-password">
<h2 id="with-password">With a password and an authenticator app</h2>
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="how" value="password">
<input type="hidden" name="login" autocomplete="username" value="${person.login}">
${newPasswordFields()}
${newTotpFields(totp)}
<div class="actions"><button>Save</button></div>
</form>
</section>`,
  });
}

/** A new password, twice. */
export const newPasswordFields = (): Html =>
  html`<label>Password<input name="password" type="password" autocomplete="new-password" minlength="${PASSWORD_MIN}" maxlength="${PASSWORD_MAX}" required aria-describedby="password-rule"></label>
<p class="muted small" id="password-rule">At least ${PASSWORD_MIN} characters.</p>
<label>Password again<input name="again" type="password" autocomplete="new-password" maxlength="${PASSWORD_MAX}" required></label>`;

/** The QR code of a new authenticator app, and its first code. */
export const newTotpFields = (totp: NewTotp): Html =>
  html`<p>Scan this with your authenticator app, or <a href="${totp.uri}">open it in the app</a> on this device:</p>
<p class="qr">${qrCode(totp.uri)}</p>
<p>Or type it into the app: <code>${totp.secret.replace(/.{4}(?=.)/g, "$& ")}</code></p>
<label>Code that the app shows<input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7" required></label>`;

export interface RecoveryCodesView {
  readonly person: { readonly name: string };
  readonly codes: readonly string[];
  /** Whether the person has a password. */
  readonly password: boolean;
}

/** Shown once, after enrolment, and when the person makes new ones. */
export function recoveryCodesPage({ codes, password }: RecoveryCodesView): HtmlPage {
  return page({
    title: "Your recovery codes",
    width: "narrow",
    links: [ACCOUNT],
    scripts: [COPY_SCRIPT.path],
    body: html`<div class="card"><h1>Your recovery codes</h1>
<p>Keep these codes where you can find them without your device. ${
      password
        ? "With your password, each code replaces one code of the app, once."
        : "With your login, each code signs you in without your passkey, once."
    }</p>
<div class="note warn"><p><strong>They are not shown again.</strong> Earlier codes are no longer valid.</p></div>
<pre class="codes" id="codes" tabindex="0" aria-label="Recovery codes"><code>${codes.join("\n")}</code></pre>
<div class="actions"><a class="button" href="/account">I have saved them</a>${copyButton("codes", "the recovery codes")}</div></div>`,
  });
}

/** After enrolment with a passkey, or a sign-in by a link. */
export function signedInPage(person: StoredPerson): HtmlPage {
  return page({
    title: "You are signed in",
    width: "narrow",
    links: [ACCOUNT],
    body: html`<div class="card"><h1>You are signed in</h1>
<p>This browser is signed in as <strong>${person.login}</strong>. Connect your client now.</p>
<p><a class="button" href="/#connect">Connect a client</a></p>
<p class="muted">On your <a href="/account">account page</a> you can create recovery codes in case you lose this device.</p></div>`,
  });
}

const ACCOUNT = { href: "/account", text: "Account" } as const;

export function refusedPage(problem: string): HtmlPage {
  return page({
    title: "This link does not work",
    width: "narrow",
    body: html`<div class="card"><h1>This link does not work</h1>
<div class="note bad" role="alert"><p>${problem}</p></div>
<p>Ask the operator of this server for a new link: <code>mcp-edge user reset LOGIN</code></p></div>`,
  });
}

/** One square is one unit; four units of margin (ISO/IEC 18004). */
function qrCode(text: string): Html {
  const { data, size } = encode(text, { border: 4 });
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return html`<svg viewBox="0 0 ${size} ${size}" width="220" height="220" role="img" aria-label="QR code for your authenticator app">
<rect width="${size}" height="${size}" fill="#fff"/><path fill="#000" d="${squares.join("")}"/></svg>`;
}
