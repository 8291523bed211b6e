import { Command, InvalidArgumentError } from "commander";
import { endAccess } from "../auth/oauth/connections.ts";
import { openOAuthStore } from "../auth/oauth/open-oauth-store.ts";
import { DEFAULT_SCOPE, SCOPES, type Scope } from "../auth/principal.ts";
import { readPeopleConfig } from "../config/config.ts";
import type { NewLink } from "./links.ts";
import { GROUP, isLocalPerson, LOGIN, NAME_MAX, type StoredPerson } from "./people-store.ts";
import { StoredPeople } from "./stored-people.ts";

function login(text: string): string {
  if (!LOGIN.test(text))
    throw new InvalidArgumentError("1 to 64 lower-case letters, digits or ._@+- characters, such as ada");
  return text;
}

function personName(text: string): string {
  const name = text.trim();
  if (name === "" || name.length > NAME_MAX || /\p{Cc}/u.test(name))
    throw new InvalidArgumentError(`1 to ${NAME_MAX} characters on one line, such as "Ada Lovelace"`);
  return name;
}

function groups(text: string): string[] {
  const named = listOf(text);
  const wrong = named.find((group) => !GROUP.test(group));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`"${wrong}" is no group; write lower-case letters, digits, - or _`);
  return named;
}

function scopes(text: string): Scope[] {
  const named = listOf(text);
  const wrong = named.filter((scope) => !SCOPES.includes(scope as Scope));
  if (wrong.length > 0 || named.length === 0)
    throw new InvalidArgumentError(`known scopes are ${SCOPES.join(", ")}; "${wrong.join(", ")}" is none`);
  return named as Scope[];
}

const listOf = (text: string) => [
  ...new Set(
    text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean),
  ),
];

interface AddOptions {
  name?: string;
  groups: string[];
  scopes: Scope[];
  json?: true;
}

/**
 * `user …`: the people who may sign in, run as root on the machine with the server's own bundle. A running server sees a change within two
 * seconds.
 *
 * @param write takes what goes to standard output; a link's secret is in it once
 * @throws ConfigError when PUBLIC_URL, SESSIONS_DIR or STORE_URL is malformed
 */
export function userCommand(env: NodeJS.ProcessEnv, write: (text: string) => void): Command {
  const { publicUrl, ...settings } = readPeopleConfig(env);
  const command = new Command("user")
    .description("Add, list, remove and reset the people who may sign in (AUTH_MODE=oauth).")
    .exitOverride();
  const withPeople = async (work: (people: StoredPeople) => Promise<void>) => {
    if (!publicUrl || settings.authMode !== "oauth")
      throw new Error("People sign in only where AUTH_MODE=oauth and PUBLIC_URL are set for the server");
    const store = await openOAuthStore(settings);
    await work(new StoredPeople(store, publicUrl.origin)).finally(() => store.close());
  };
  const known = async (people: StoredPeople, text: string): Promise<StoredPerson> => {
    const person = await people.findByLogin(text);
    if (!person) throw new Error(`There is no person "${text}"; see: user list`);
    return person;
  };
  /** Prints the person with a link. */
  const show = (person: StoredPerson, link: NewLink, json: true | undefined, purpose: string) => {
    const url = `${publicUrl?.origin}${link.path}`;
    const until = new Date(link.expiresAt).toISOString();
    if (json) write(`${JSON.stringify({ ...shown(person), link: url, linkExpiresAt: until })}\n`);
    else write(`${url}\n${purpose} It works once, until ${until}.\n`);
  };
  const enrolment = (person: StoredPerson) =>
    `Give this link to ${person.name}, who chooses there how to sign in.`;

  command
    .command("add")
    .description("Add a person, and print a link with which they choose how to sign in.")
    .argument("<login>", "what they type to sign in", login)
    .option("--name <name>", "for others to read (default: the login)", personName)
    .option("--groups <list>", "comma-separated", groups, [])
    .option("--scopes <list>", `the most that a client may do for them, of ${SCOPES.join(", ")}`, scopes, [
      DEFAULT_SCOPE,
    ])
    .option("--json", "one JSON object instead of text")
    .action((added: string, options: AddOptions) =>
      withPeople(async (people) => {
        if (settings.localSignIn === "no")
          throw new Error(
            "People sign in with an identity provider here (LOCAL_SIGN_IN=no); allow them in IDENTITY_PROVIDERS",
          );
        const { name = added, groups, scopes } = options;
        const person = await people.directory.add({ login: added, name, groups, scopes });
        show(person, await people.links.make(person.id, "enrol"), options.json, enrolment(person));
      }),
    );

  command
    .command("list")
    .description("List the people.")
    .option("--json", "a JSON array instead of text")
    .action((options: { json?: true }) =>
      withPeople(async (people) => {
        const all = (await people.directory.list()).map(shown);
        const line = (person: (typeof all)[number]) =>
          `${person.login}  ${person.name}  ${person.scopes.join(",")}  ${person.groups.join(",") || "no groups"}  added ${person.createdAt}\n`;
        if (options.json) write(`${JSON.stringify(all)}\n`);
        else write(all.map(line).join("") || "No people. Add one: user add ada\n");
      }),
    );

  command
    .command("remove")
    .description("Remove a person. All of their clients are cut off within two seconds.")
    .argument("<login>")
    .option("--json", "one JSON object instead of text")
    .action((text: string, options: { json?: true }) =>
      withPeople(async (people) => {
        const person = await known(people, text);
        await people.directory.remove(person);
        const clients = await endAccess(people.directory.store, person.id, Date.now());
        if (options.json)
          write(`${JSON.stringify({ login: person.login, removed: true, connections: clients.length })}\n`);
        else write(`Removed ${person.login}; ${clients.length} connections were cut off.\n`);
      }),
    );

  command
    .command("reset")
    .description("For a lost device: end all sessions and connections, and print a new link.")
    .argument("<login>")
    .option("--json", "one JSON object instead of text")
    .action((text: string, options: { json?: true }) =>
      withPeople(async (people) => {
        const person = await known(people, text);
        await endAccess(people.directory.store, person.id, Date.now());
        if (!isLocalPerson(person)) {
          if (options.json) write(`${JSON.stringify(shown(person))}\n`);
          else write(`All sessions and connections of ${person.login} have ended. They sign in as before.\n`);
          return;
        }
        await people.directory.removeCredentials(person.id);
        show(person, await people.links.make(person.id, "enrol"), options.json, enrolment(person));
      }),
    );

  command
    .command("sign-in-link")
    .description("Print a link that signs a browser in as `doctor`, once, within a minute.")
    .option("--json", "one JSON object instead of text")
    .action((options: { json?: true }) =>
      withPeople(async (people) => {
        const person =
          (await people.findByLogin(DOCTOR.login)) ?? (await people.directory.add({ ...DOCTOR, groups: [] }));
        const link = await people.links.make(person.id, "sign-in");
        show(person, link, options.json, "It signs a browser in.");
      }),
    );

  return command;
}

/** The account with which the doctor tries what people do. Nobody can enrol for it unless somebody resets it. */
const DOCTOR = { login: "doctor", name: "Doctor of mcp-edge", scopes: [DEFAULT_SCOPE] } as const;

const shown = ({ createdAt, ...person }: StoredPerson) => ({
  ...person,
  createdAt: new Date(createdAt).toISOString(),
});
