import { type VariableMeta, type Variables, variablesOf } from "./variable.ts";

/** The variables for people: the tables of docs/server.md (`npm run docs` writes them) and the text of `--help`. */

const bare = (type: string) => type.replace(/^(an?|one of) /, "");
const values = ({ type, unit }: VariableMeta) => (unit ? `${bare(type)} (${unit})` : bare(type));

/** What holds when the variable is not set. */
function fallback({ default: text, unset }: VariableMeta, code: (value: string) => string): string {
  return unset ?? (text ? code(text) : "");
}

const cell = (text: string) => text.replaceAll("|", "\\|");

/** Two Markdown tables: what operators set, and what the unit, systemd and the shell set. */
export function environmentTables(group: Variables): string {
  const all = variablesOf(group);
  const table = (head: string[], rows: string[][]) =>
    [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");
  const code = (value: string) => `\`${value}\``;
  const what = (v: VariableMeta) => (v.secret ? `${v.description} Secret.` : v.description);
  return [
    table(
      ["variable", "what it does", "values", "default"],
      all.filter((v) => !v.setBy).map((v) => [code(v.variable), what(v), values(v), fallback(v, code)]),
    ),
    "",
    "Not for operators:",
    "",
    table(
      ["variable", "set by", "what it is"],
      all.filter((v) => v.setBy).map((v) => [code(v.variable), v.setBy ?? "", what(v)]),
    ),
  ].join("\n");
}

const WIDTH = 100;

/** The same for a terminal, 100 columns wide. */
export function environmentHelp(group: Variables): string {
  const plain = (text: string) => text.replaceAll("`", "");
  const entries = variablesOf(group)
    .filter((v) => !v.setBy)
    .map((v) => {
      const notes = [
        `Values: ${values(v)}.`,
        fallback(v, (value) => value) && `Default: ${fallback(v, (value) => value)}.`,
        v.example && v.example !== v.default && `Example: ${v.variable}=${v.example}`,
      ];
      return `  ${v.variable}\n${wrap(plain([v.description, ...notes].filter(Boolean).join(" ")), 6)}`;
    });
  return `Environment:\n${entries.join("\n")}\n`;
}

function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].map((l) => " ".repeat(indent) + l).join("\n");
}

const MARK = {
  begin: "<!-- environment: from server/config/environment.ts by `npm run docs` -->",
  end: "<!-- /environment -->",
};

/**
 * docs/server.md with its tables renewed.
 *
 * @throws if the marks are missing that say where they go
 */
export function withEnvironmentTables(page: string, group: Variables): string {
  const from = page.indexOf(MARK.begin);
  const to = page.indexOf(MARK.end);
  if (from === -1 || to < from) throw new Error(`The page needs the lines "${MARK.begin}" and "${MARK.end}"`);
  return `${page.slice(0, from)}${MARK.begin}\n\n${environmentTables(group)}\n\n${page.slice(to)}`;
}
