import { Refusal, type RefusedStatus } from "../../http/errors.ts";

/** A sign-in with an identity provider that came to nothing. The message is for the person. */
export class SignInFailure extends Refusal {
  /** For the operator, in the log and the trace: may name what the provider said, no token. */
  readonly reason: string;
  /** Who it was, where the provider said so. */
  readonly login: string | undefined;

  constructor(statusCode: RefusedStatus, message: string, reason: string, login?: string) {
    super(statusCode, message);
    this.reason = reason;
    this.login = login;
  }
}
