import type { InputSchema } from "../tools/arguments/input-schema.ts";

const text = { type: "string" };

/** The arguments of the prompts (see prompts.ts): all of them are texts. */
export const PROMPT_ARGUMENTS: Readonly<Record<string, InputSchema>> = {
  explain_symbol: { properties: { symbol: text, repo: text }, required: ["symbol"] },
  review_diff: { properties: { base: text, repo: text } },
  onboard: { properties: { repo: text } },
};

/** The variables of the resource template `repo://{repo}/{+path}`. */
export const TEMPLATE_ARGUMENTS: InputSchema = { properties: { repo: text, path: text } };
