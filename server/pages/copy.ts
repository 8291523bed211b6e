import { createHash } from "node:crypto";
import { type Html, html } from "./html.ts";

/**
 * Copies the text of the element that a button names. Without a script, or where the browser has no clipboard for this page, the button
 * stays hidden: the text can be selected.
 */
const TEXT = `for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  const [label] = button.children;
  const status = button.nextElementSibling;
  let timer;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    const done = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Not copied");
    label.textContent = status.textContent = done;
    clearTimeout(timer);
    timer = setTimeout(() => { label.textContent = "Copy"; status.textContent = ""; }, 2000);
  });
}
`;

export const COPY_SCRIPT = {
  path: `/assets/copy-${createHash("sha256").update(TEXT).digest("hex").slice(0, 16)}.js`,
  text: TEXT,
} as const;

/**
 * A button that copies. Its page needs COPY_SCRIPT.
 *
 * @param target id of the element with the text
 * @param what is copied, for a screen reader
 */
export function copyButton(target: string, what: string): Html {
  return html`<button type="button" class="quiet compact" data-copy="${target}" hidden><span>Copy</span><span class="unseen"> ${what}</span></button><span role="status" class="unseen"></span>`;
}
