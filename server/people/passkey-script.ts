import { createHash } from "node:crypto";

/**
 * The one script of sign-in and enrolment: a button with `data-passkey="get"` or `"create"` asks the authenticator with the options in
 * `data-options`, and sends its answer with the form around the button. Without a script, or without Web Authentication, the button stays
 * hidden, and the rest of the page works.
 */
const TEXT = `const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const credential = (one) => ({ ...one, id: bytes(one.id) });
const decoded = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
  ...(options.excludeCredentials && { excludeCredentials: options.excludeCredentials.map(credential) }),
  ...(options.allowCredentials && { allowCredentials: options.allowCredentials.map(credential) }),
});
const encoded = ({ id, rawId, type, response }) => ({
  id, rawId: text(rawId), type, clientExtensionResults: {},
  response: Object.fromEntries(["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
    .filter((name) => response[name]).map((name) => [name, text(response[name])])),
});
for (const button of document.querySelectorAll("button[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  const form = button.form;
  const problem = form.querySelector("[data-problem]");
  button.closest("[hidden]")?.removeAttribute("hidden");
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const publicKey = decoded(JSON.parse(button.dataset.options));
      const answer = await navigator.credentials[button.dataset.passkey]({ publicKey });
      form.elements.passkey.value = JSON.stringify(encoded(answer));
      form.submit();
    } catch (error) {
      problem.textContent = error.name === "NotAllowedError" ? "The passkey was not used. Try again, or choose the other way." : "This device has no passkey for this server. Choose the other way.";
      button.disabled = false;
    }
  });
}
`;

/** Its path has its hash, so that browsers may keep it for good. */
export const PASSKEY_SCRIPT = {
  path: `/people/passkey-${createHash("sha256").update(TEXT).digest("hex").slice(0, 12)}.js`,
  text: TEXT,
} as const;
