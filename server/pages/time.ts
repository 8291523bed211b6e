import { type Html, html } from "./html.ts";

/** @param at milliseconds since 1970 */
export function time(at: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${minutes(at)}</time>`;
}

export const minutes = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
