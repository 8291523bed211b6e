import * as z from "zod";
import { oneOf, text } from "./meta.ts";

/** Names with `*`, `?` and `[ab]`. */
const patterns = z
  .array(
    text(/^[\w.@+*?[\]-]{1,100}$/, "a name, or a pattern such as app-*"),
    "must be a list of names or patterns",
  )
  .min(1, "must have an element; leave it out for all");

/** An entry of `grants`; a list that is missing stands for all. */
export const grant = z.strictObject(
  {
    who: text(
      /^(\*|(user|group|token):[^\s;,'"\\$`\p{Cc}]{1,200})$/u,
      "user:LOGIN, group:GROUP, token:NAME or *, without blanks and quotes",
    ),
    scopes: z
      .array(oneOf("code:read", "ops", "index:write"), "must be a list of scopes")
      .min(1, "must have an element")
      .optional(),
    repositories: patterns.optional(),
    tools: patterns.optional(),
  },
  "must be an object with who, scopes, repositories and tools",
);

export type Grant = z.output<typeof grant>;

/** Grants as the server's variable GRANTS has them. */
export const grantsVariable = (grants: readonly Grant[]): string =>
  grants
    .map(({ who, ...lists }) =>
      [
        who,
        ...Object.entries(lists).flatMap(([name, list]) => (list ? [`${name}=${list.join(",")}`] : [])),
      ].join(" "),
    )
    .join("; ");
