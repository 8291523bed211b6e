type Item = Readonly<Record<string, unknown>>;

/** A result of a list as lines of text: `path:line: text`, with its other fields behind it or below. */
export function placeLines(item: unknown): string[] {
  if (typeof item !== "object" || item === null) return [String(item)];
  const fields = item as Item;
  if (Array.isArray(fields.symbols)) return [`${fields.path}:`, ...fields.symbols.flatMap(symbolLine)];
  if (typeof fields.path !== "string") return [JSON.stringify(item)];
  return [...around(fields, "before"), ...mainLines(fields), ...around(fields, "after"), ...below(fields)];
}

function symbolLine(symbol: unknown): string[] {
  const { line, end_line, kind, name_path, signature } = symbol as Item;
  return [`  ${line}-${end_line}: ${kind} ${name_path}  ${signature}`];
}

function mainLines(fields: Item): string[] {
  const { path, line, start_line, end_line, text, signature, title } = fields;
  const first = line ?? start_line;
  const what = String(text ?? signature ?? title ?? "");
  const range = line === undefined && end_line !== undefined && end_line !== first ? `-${end_line}` : "";
  const [head = "", ...rest] = what.split("\n");
  const details = detailsOf(fields);
  if (what === "" && first === undefined) return [`${path}: ${details}`];
  return [
    `${path}${first === undefined ? "" : `:${first}${range}`}: ${head}${details === "" ? "" : `  (${details})`}`,
    ...rest.map((more) => `    ${more}`),
  ];
}

/** What a place is, in a few words. */
function detailsOf({
  kind,
  name_path,
  name,
  parent,
  role,
  within,
  why,
  by,
  precision,
  matches,
}: Item): string {
  const named =
    name_path ?? (typeof name === "string" ? [parent, name].filter(Boolean).join("/") : undefined);
  return [
    [kind, named].filter(Boolean).join(" "),
    role,
    within ? `in ${within}` : "",
    why,
    by === undefined ? "" : `by ${by}`,
    precision,
    matches === undefined ? "" : `${matches} matching lines`,
  ]
    .filter(Boolean)
    .join("; ");
}

/** Lines of context, as grep writes them. */
function around(fields: Item, where: "before" | "after"): string[] {
  const list = fields[where];
  if (!Array.isArray(list)) return [];
  const line = Number(fields.line);
  const last = Number(fields.end_line ?? line);
  const first = where === "before" ? line - list.length : last + 1;
  return [
    ...list.map((text, n) => `${fields.path}-${first + n}- ${text}`),
    ...(where === "after" ? ["--"] : []),
  ];
}

function below({ captures, body }: Item): string[] {
  const captured = typeof captures === "object" && captures !== null ? Object.entries(captures) : [];
  return [
    ...captured.map(([name, code]) => `    $${name} = ${String(code).replaceAll("\n", "\n    ")}`),
    ...(typeof body === "string" ? body.split("\n").map((line) => `    ${line}`) : []),
  ];
}
