import { htmlSafe } from "../../http/page.ts";
import { formPage, type HtmlPage } from "./form-page.ts";
import type { InteractionDetails } from "./interaction.ts";

const SCOPE_TEXT: Readonly<Record<string, string>> = {
  "code:read": "read and search the source code on this server",
  ops: "see the state and the metrics of this server",
};

/** The pages of sign-in and consent. Pure functions. */
export function signInPage(details: InteractionDetails, problem?: string): HtmlPage {
  const { client, csrf, loginHint = "" } = details;
  return formPage(
    "Sign in",
    `<p>${htmlSafe(client.name)} wants to connect to this server.</p>
${problem === undefined ? "" : `<p role="alert"><strong>${htmlSafe(problem)}</strong></p>`}
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<p><label>Login<br><input name="login" autocomplete="username" maxlength="64" required autofocus value="${htmlSafe(loginHint)}"></label></p>
<p><label>Password<br><input name="password" type="password" autocomplete="current-password" maxlength="256" required></label></p>
<p><label>Code of your authenticator app, or a recovery code<br><input name="code" autocomplete="one-time-code" maxlength="32"></label></p>
<p><button name="action" value="sign-in">Sign in</button> <button name="action" value="abort" formnovalidate>Cancel</button></p>
</form>`,
    details.redirect.uri,
  );
}

export function consentPage(details: InteractionDetails): HtmlPage {
  const { client, redirect, allowed, person, csrf } = details;
  const proof =
    client.domain === undefined
      ? "It calls itself by this name; nothing proves that it is that program."
      : `Its identity is published by ${htmlSafe(client.domain)}.`;
  const target = redirect.local
    ? `a program on your own computer (<code>${htmlSafe(redirect.uri)}</code>)`
    : `<strong>${htmlSafe(redirect.host ?? "")}</strong>`;
  const remember = redirect.local
    ? ""
    : `<p><label><input type="checkbox" name="remember" value="yes" checked> Do not ask again for this program</label></p>`;
  return formPage(
    "Allow access?",
    `<p><strong>${htmlSafe(client.name)}</strong> asks to act in your name, ${htmlSafe(person?.name ?? "")}. ${proof}</p>
<p>It will be able to:</p>
<ul>${allowed.map((scope) => `<li>${htmlSafe(SCOPE_TEXT[scope] ?? scope)}</li>`).join("")}</ul>
<p>Then your browser goes to ${target}.</p>
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
${remember}
<p><button name="action" value="allow">Allow</button> <button name="action" value="abort">Cancel</button></p>
</form>`,
    redirect.uri,
  );
}
