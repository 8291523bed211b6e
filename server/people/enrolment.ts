import { Refusal } from "../http/errors.ts";
import type { HtmlPage } from "../pages/layout.ts";
import { newPasswordProblem, newTotpProblem } from "./new-password.ts";
import type { StoredPerson } from "./people-store.ts";
import type { StoredPeople } from "./stored-people.ts";
import { describeTotp } from "./totp.ts";
import { enrolPage, recoveryCodesPage, signedInPage } from "./views.ts";

type Finished = { person: StoredPerson; page: HtmlPage } | { problem: string };

/** One-time links with which people choose how to sign in. The link is used up only by a choice that is right. */
export class Enrolment {
  readonly #people: StoredPeople;
  readonly #host: string;

  constructor(people: StoredPeople, host: string) {
    this.#people = people;
    this.#host = host;
  }

  /** @throws Refusal 410 when the link was used or has expired */
  async page(token: string, csrf: string, problem?: string): Promise<HtmlPage> {
    const { person, totpSecret, id } = await this.#open(token);
    const totp = describeTotp(totpSecret, this.#host, person.login);
    const passkeyOptions = await this.#people.passkeys.registrationOptions(id, person);
    return enrolPage({ person, host: this.#host, csrf, passkeyOptions, totp, problem });
  }

  /** @throws Refusal 410 as above, and for the slower of two that use the link at the same moment */
  finish(token: string, form: URLSearchParams): Promise<Finished> {
    return form.get("how") === "passkey" ? this.#passkey(token, form) : this.#password(token, form);
  }

  async #passkey(token: string, form: URLSearchParams): Promise<Finished> {
    const { person, id } = await this.#open(token);
    const save = await this.#people.passkeys.checkRegistration(id, person.id, form.get("passkey") ?? "");
    if (!save) return { problem: "The passkey could not be checked. Try again." };
    await this.#use(token);
    if (!(await save())) throw new Refusal(409, "This passkey is in use already.");
    return { person, page: signedInPage(person) };
  }

  async #password(token: string, form: URLSearchParams): Promise<Finished> {
    const { person, totpSecret } = await this.#open(token);
    const problem =
      newPasswordProblem(form, person.login) ?? newTotpProblem(form, totpSecret, this.#people.now());
    if (problem !== undefined) return { problem };
    await this.#use(token);
    await this.#people.totp.set(person.id, totpSecret);
    // It is used up.
    await this.#people.totp.use(person.id, form.get("code") ?? "");
    await this.#people.passwords.set(person.id, form.get("password") ?? "");
    const codes = await this.#people.recoveryCodes.renew(person.id);
    return { person, page: recoveryCodesPage({ person, codes, password: true }) };
  }

  async #open(token: string) {
    const link = await this.#people.links.check(token, "enrol");
    const person = link && (await this.#people.directory.find(link.person));
    if (!link || !person) throw gone();
    return { ...link, person };
  }

  async #use(token: string): Promise<void> {
    if ((await this.#people.links.use(token, "enrol")) === undefined) throw gone();
  }
}

const gone = () => new Refusal(410, "This link was used, or has expired.");
