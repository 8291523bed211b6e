import { passwordProblem } from "./password.ts";
import { totpStep } from "./totp.ts";

/** Checks the fields `password` and `again` of a form. @returns what is wrong with them */
export function newPasswordProblem(form: URLSearchParams, login: string): string | undefined {
  const password = form.get("password") ?? "";
  return (
    passwordProblem(password, login) ??
    (password === form.get("again") ? undefined : "The two passwords are not the same.")
  );
}

/**
 * Checks the field `code` of a form: the first code of an authenticator app that is being added.
 *
 * @param secret undefined when its page is too old
 * @param now milliseconds since 1970
 */
export function newTotpProblem(
  form: URLSearchParams,
  secret: string | undefined,
  now: number,
): string | undefined {
  if (secret !== undefined && totpStep(secret, form.get("code") ?? "", now) !== undefined) return undefined;
  return "The code is not the one that the app shows now. Scan the QR code, and type the newest code.";
}
