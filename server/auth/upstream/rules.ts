import type { Identity } from "./identity.ts";

/** Selects some of a provider's people: see `parseRule`. */
export type Rule =
  | { readonly kind: "everyone" }
  | { readonly kind: "email" | "domain" | "group" | "user"; readonly value: string };

const EMAIL = /^[^\s@;,]{1,64}@[a-z0-9.-]{1,190}$/;
const DOMAIN = /^@([a-z0-9-]+\.)+[a-z0-9-]+$/;
const NAMED = /^(group|user):([^\s;,]{1,200})$/;

/**
 * `ada@example.com`: an e-mail address that the provider has verified; `@example.com`: every verified address of a domain; `group:NAME`: a
 * group as the provider names it; `user:NAME`: the provider's own name of a person (see Identity.user); `*`: all of the provider's people.
 *
 * @param anyCase whether the provider does not tell names of people and groups apart by their case; addresses never are
 * @returns undefined for anything else
 */
export function parseRule(text: string, anyCase: boolean): Rule | undefined {
  if (text === "*") return { kind: "everyone" };
  const [, kind, name = ""] = NAMED.exec(text) ?? [];
  if (kind === "group" || kind === "user") return { kind, value: anyCase ? name.toLowerCase() : name };
  const value = text.toLowerCase();
  if (DOMAIN.test(value)) return { kind: "domain", value: value.slice(1) };
  return EMAIL.test(value) ? { kind: "email", value } : undefined;
}

/** Whether a rule matches this person. */
export function matches(rules: readonly Rule[], identity: Identity): boolean {
  return rules.some((rule) => matchesOne(rule, identity));
}

function matchesOne(rule: Rule, { emails, domains, groups, user }: Identity): boolean {
  switch (rule.kind) {
    case "everyone":
      return true;
    case "email":
      return emails.includes(rule.value);
    case "domain":
      return domains.includes(rule.value);
    case "group":
      return groups.includes(rule.value);
    case "user":
      return user === rule.value;
  }
}
