import type { WaysIn } from "../people/credentials.ts";
import { PASSKEY_NAME_MAX, type Passkey } from "../people/passkeys.ts";
import type { ActionForm } from "./action-form.ts";
import { type Html, html } from "./html.ts";
import { time } from "./time.ts";

/** The part of `/account` about how the person signs in. The only way to sign in has no button that removes it. */
export function waysInSection(ways: WaysIn, csrf: string, form: ActionForm): Html {
  const { passkeys, password, recoveryCodes } = ways;
  const removable = passkeys.length + Number(password) > 1;
  return html`<h2 id="passkeys">Passkeys</h2>
<div class="card">
${
  passkeys.length > 0
    ? html`<ul class="rows">${passkeys.map((one) => passkeyRow(one, csrf, removable ? form : undefined))}</ul>`
    : html`<p>You have none. A passkey is your fingerprint, face or PIN on this device: nothing to remember, and nothing that can be stolen from this server.</p>`
}
<div class="foot"><a class="button quiet" href="/account/passkey">Add a passkey</a></div>
</div>
<h2 id="password">Password and recovery</h2>
<div class="card"><ul class="rows">
<li><div><p><strong>Password and authenticator app</strong></p>
<p class="muted small">${password ? "Both together sign you in." : "You have none. With a passkey you need none."}</p></div>
<a class="button quiet" href="/account/password">${password ? "Change" : "Add"}<span class="unseen"> password and authenticator app</span></a>
${password && removable && form("remove-password", "Remove", "the password and the authenticator app")}</li>
<li><div><p><strong>Recovery codes</strong></p>
<p class="muted small">${codesText(recoveryCodes)}</p></div>
${form("recovery-codes", "Create new codes", "recovery codes; the earlier ones become invalid")}</li>
</ul></div>`;
}

function codesText(left: number): string {
  if (left === 0) return "You have none. They let you in if you lose your device.";
  return `${left} ${left === 1 ? "is" : "are"} left. New codes make these invalid.`;
}

function passkeyRow({ id, name, createdAt, lastUsedAt }: Passkey, csrf: string, form?: ActionForm): Html {
  return html`<li><div>
<p><strong dir="auto">${name}</strong></p>
<p class="muted small">Added ${time(createdAt)}, ${lastUsedAt === undefined ? "not used since" : html`last used ${time(lastUsedAt)}`}</p>
<details><summary class="small">Rename<span class="unseen"> ${name}</span></summary>
<form method="post" class="inline"><input type="hidden" name="csrf" value="${csrf}">
<label class="small">New name<input name="name" value="${name}" maxlength="${PASSKEY_NAME_MAX}" autocomplete="off" dir="auto" required></label>
<button class="quiet" name="action" value="rename-passkey ${id}">Save</button></form></details>
</div>${form ? form(`remove-passkey ${id}`, "Remove", name) : html`<span class="badge">Your only way to sign in</span>`}</li>\n`;
}
