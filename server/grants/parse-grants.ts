import { SCOPES, type Scope } from "../auth/principal.ts";

/** What some callers may see. A list that is missing stands for everything. */
export interface Grant {
  /**
   * `*`: every caller; `user:` and a login, or another issuer's subject; `group:` and a group of the person; `token:` and the name or id of a
   * static token.
   */
  readonly who: string;
  readonly scopes?: readonly Scope[];
  /** Patterns of names: `*` and `?` as in a shell, `[ab]`. */
  readonly repositories?: readonly string[];
  readonly tools?: readonly string[];
}

const WHO = /^(\*|(user|group|token):[^\s;,'"\\$`]{1,200})$/;
const PATTERN = /^[\w.@+*?[\]-]{1,100}$/;
const LISTS = ["scopes", "repositories", "tools"] as const;

/**
 * `group:dev repositories=app-*,docs tools=search_*,read_file; token:ci scopes=code:read`. Entries are separated by semicolons.
 *
 * @returns what is understood, and a message for each entry that is not
 */
export function parseGrants(text: string): { result: readonly Grant[]; problems: readonly string[] } {
  const result: Grant[] = [];
  const problems: string[] = [];
  const entries = text.split(";").map((entry) => entry.trim());
  for (const [n, entry] of entries.filter(Boolean).entries()) {
    const grant = parseGrant(entry.split(/\s+/));
    if (typeof grant === "string") problems.push(`entry ${n + 1} ${grant}`);
    else result.push(grant);
  }
  return { result, problems };
}

/** @returns what is wrong, where the entry cannot be understood; never a part of it */
function parseGrant([who = "", ...fields]: string[]): Grant | string {
  if (!WHO.test(who)) return "does not begin with user:LOGIN, group:GROUP, token:NAME or *";
  const lists: Partial<Record<(typeof LISTS)[number], string[]>> = {};
  for (const field of fields) {
    const name = LISTS.find((list) => field.startsWith(`${list}=`));
    if (!name || lists[name]) return `has a field that is not one of ${LISTS.join("=, ")}=, or has it twice`;
    const values = field.slice(name.length + 1).split(",");
    if (name === "scopes" && !values.every((value) => (SCOPES as readonly string[]).includes(value)))
      return `has a scope that is not one of ${SCOPES.join(", ")}`;
    if (name !== "scopes" && !values.every((value) => PATTERN.test(value)))
      return `has a pattern in ${name}= that is not a name with *, ? and [ab]`;
    lists[name] = values;
  }
  return { who, ...lists } as Grant;
}
