import * as z from "zod";
import { oneOf, text } from "./meta.ts";

/** A number of an object in a stack's file, which the engine may hand out as a text. */
const seconds = z.coerce
  .number("must be a whole number of seconds from 0 to 300")
  .int("must be a whole number of seconds from 0 to 300")
  .min(0, "must be a whole number of seconds from 0 to 300")
  .max(300, "must be a whole number of seconds from 0 to 300");

/** The same of a boolean. */
const flag = z.enum(["true", "false"], "must be true or false").transform((text) => text === "true");

/** The setting `jwt`: whose access tokens count. */
export const jwt = z.strictObject(
  {
    issuer: text(
      /^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?(\/[A-Za-z0-9._~/-]*)?$/,
      "the issuer's https URL as its tokens' `iss` spells it, such as https://login.example.com",
    ),
    audience: text(
      /^[^\s;'"\\$`\p{Cc}]{1,200}$/u,
      "the audience (`aud`) of the tokens, such as api://mcp-edge",
    ).optional(),
    scopes: z
      .record(
        text(/^[^\s,;='"\\$`\p{Cc}]{1,100}$/u, "a scope or role of the issuer, such as mcp.read"),
        oneOf("code:read", "ops", "index:write"),
        "must be an object: the issuer's scopes, and what each stands for here",
      )
      .optional(),
    clockSkew: seconds.optional(),
    untypedAllowed: flag.optional(),
  },
  "must be an object with issuer, audience, scopes, clockSkew and untypedAllowed",
);

export type Jwt = z.output<typeof jwt>;

/** The server's variables for it (server/config/environment.ts). */
export const jwtVariables = ({
  issuer,
  audience = "",
  scopes = {},
  clockSkew,
  untypedAllowed,
}: Jwt): Record<string, string | number> => ({
  JWT_ISSUER: issuer,
  JWT_AUDIENCE: audience,
  JWT_SCOPES: Object.entries(scopes)
    .map(([theirs, ours]) => `${theirs}=${ours}`)
    .join(" "),
  JWT_CLOCK_SKEW: clockSkew ?? "",
  JWT_UNTYPED_ALLOWED: untypedAllowed ? "yes" : "",
});
