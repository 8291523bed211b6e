import { type Html, html } from "./html.ts";

/** A button of `/account`: its action, its text, and what it is about for a screen reader. */
export type ActionForm = (action: string, text: string, about: string) => Html;

/** Each button is a form of its own. */
export const actionForm =
  (csrf: string): ActionForm =>
  (action, text, about) =>
    html`<form method="post">
<input type="hidden" name="csrf" value="${csrf}"><button class="quiet" name="action" value="${action}" aria-label="${text}: ${about}">${text}</button></form>`;
