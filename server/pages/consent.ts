import type {
  ClientDescription,
  InteractionDetails,
  RedirectDescription,
} from "../auth/oauth/interaction.ts";
import { type Html, html } from "./html.ts";
import { type HtmlPage, page } from "./layout.ts";
import { SCOPE_TEXT } from "./scopes.ts";

/** The second page of a client's sign-in: may it? `Allow` comes first, so it is what the Enter key does. */
export function consentPage(details: InteractionDetails): HtmlPage {
  const { client, redirect, allowed, person, csrf, resource } = details;
  return page({
    title: "Allow access?",
    width: "narrow",
    forms: { redirect: redirect.uri },
    body: html`<div class="card">
<h1>Allow ${client.name} to use this server?</h1>
${identity(client)}
<h2 class="label">It will be able to</h2>
<ul class="scopes">${allowed.map((scope) => html`<li>${SCOPE_TEXT[scope]}</li>`)}</ul>
${redirect.local && LOCAL}
<dl class="facts">
<dt>Server</dt><dd>${new URL(resource).host}</dd>
<dt>You</dt><dd>${person?.name} (${person?.login})</dd>
<dt>Goes to</dt><dd>${target(redirect)}</dd>
</dl>
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
${!redirect.local && html`<label class="check"><input type="checkbox" name="remember" value="yes" checked> Do not ask again for this client</label>`}
<div class="actions"><button name="action" value="allow">Allow</button>
<button class="quiet" name="action" value="abort">Cancel</button></div>
</form>
</div>
<p class="muted small">You can end its access at any time on <strong>${new URL(resource).host}/account</strong>.</p>`,
  });
}

/** Who vouches for the client's name. */
function identity({ kind, domain, name }: ClientDescription): Html {
  if (kind === "document")
    return html`<p><span class="badge good">Verified</span> Its identity is published by <strong>${domain}</strong>.</p>`;
  if (kind === "registered")
    return html`<p><span class="badge good">Registered</span> The operator of this server registered this client.</p>`;
  return html`<div class="note warn"><p><strong>Not verified.</strong> It calls itself “${name}”, and nothing proves that it is. Allow it only if you started this connection yourself just now.</p></div>`;
}

const LOCAL = html`<div class="note warn"><p><strong>On your computer.</strong> The access goes to a program on this computer, and any program here can wait at that address.</p></div>`;

function target({ local, host, uri }: RedirectDescription): Html {
  return local ? html`<code>${uri}</code>` : html`<strong>${host}</strong>`;
}
