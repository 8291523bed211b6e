import type { MachineRef } from "./machine-ref.ts";
import { serverCommand } from "./server-command.ts";

/** Login of the first person. `up` adds it where nobody can sign in yet. */
const OWNER = "owner";

/** The machine's own person for checks; it has no way to sign in but these links. */
const DOCTOR = "doctor";

export interface Enrolment {
  login: string;
  /** Works once. The person who opens it chooses how to sign in. */
  link: string;
  /** ISO 8601. */
  linkExpiresAt: string;
}

/**
 * Adds the owner of a server that has no people yet, with every scope.
 * @returns undefined when there are people already
 */
export async function enrolOwner(ref: MachineRef): Promise<Enrolment | undefined> {
  const people = JSON.parse(await serverCommand(ref, ["user", "list", "--json"])) as { login: string }[];
  if (people.some(({ login }) => login !== DOCTOR)) return undefined;
  const add = ["user", "add", "--name=Owner", "--scopes=code:read,ops", "--json", "--", OWNER];
  return JSON.parse(await serverCommand(ref, add)) as Enrolment;
}

/** A link that signs a browser session of the doctor in, once, within a minute. */
export async function doctorSignInLink(ref: MachineRef): Promise<URL> {
  const made = JSON.parse(await serverCommand(ref, ["user", "sign-in-link", "--json"])) as { link: string };
  return new URL(made.link);
}
