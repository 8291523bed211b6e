/** HTML that is safe to send. Only the tag `html` makes it. */
export type { Html };

/** What a template may hold. `undefined`, `null` and `false` are nothing; a list is its parts one after the other. */
export type HtmlValue = Html | string | number | undefined | null | false | readonly HtmlValue[];

class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/**
 * A template of HTML: everything in `${}` is escaped unless a template made it.
 *
 * @throws where a value stands in an attribute without quotation marks, which no escaping makes safe
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  const parts = strings.map((literal, at) => {
    if (at === values.length) return literal;
    if (literal.endsWith("=")) throw new Error(`An attribute's value needs quotation marks: ${literal}`);
    return literal + render(values[at]);
  });
  return new Html(parts.join(""));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function render(value: HtmlValue): string {
  if (value === undefined || value === null || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(render).join("");
  return escapeHtml(String(value));
}
