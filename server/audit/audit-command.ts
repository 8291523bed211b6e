import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import * as z from "zod";
import { readAuditConfig } from "../config/config.ts";
import { auditFiles } from "./audit-file.ts";
import type { AuditRecord, AuditWho, FileLink } from "./record.ts";
import { parsed, verifyAudit } from "./verify.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** "30m", "12h", "7d" ago, or a date such as 2026-03-01 or 2026-03-01T08:00:00Z. @returns milliseconds since 1970 */
function since(text: string): number {
  const ago = /^(\d{1,6})([smhd])$/.exec(text);
  const at = ago ? Date.now() - Number(ago[1]) * (UNITS[ago[2] ?? ""] ?? 0) * 1_000 : Date.parse(text);
  if (Number.isNaN(at))
    throw new InvalidArgumentError("Write it as 30m, 12h, 7d or a date such as 2026-03-01.");
  return at;
}

const Anchor = z.array(
  z.object({ file: z.string(), lines: z.int().positive(), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
);

function anchor(text: string): FileLink[] {
  try {
    return Anchor.parse(JSON.parse(text));
  } catch {
    throw new InvalidArgumentError("Give the `tips` that `audit verify --json` printed.");
  }
}

interface ListOptions {
  since?: number;
  person?: string;
  tool?: string;
  json?: true;
}

type Listed = Omit<AuditRecord, "who"> & { readonly who?: AuditWho } & Readonly<Record<string, unknown>>;

/**
 * `audit list|verify`: reads the files of the audit log. A server may be writing to them.
 *
 * @throws ConfigError when AUDIT_DIR is malformed
 */
export function auditCommand(env: NodeJS.ProcessEnv, write: (text: string) => void): Command {
  const { auditDir: dir } = readAuditConfig(env);
  const command = new Command("audit").description(`List and verify the audit log in ${dir} (AUDIT_DIR).`);

  command
    .command("list")
    .description("List sign-ins, consents, tokens and tool calls, the oldest first.")
    .option("--since <time>", "30m, 12h, 7d, or a date", since)
    .option("--person <who>", "id or name of a person or token")
    .option("--tool <name>", "calls of this tool only")
    .option("--json", "the lines as they are")
    .action(async (options: ListOptions) => {
      for (const file of await auditFiles(dir))
        for (const line of (await readFile(join(dir, file), "utf8")).split("\n")) {
          const record = parsed(line) as Listed | undefined;
          if (record && record.type !== "head" && matches(record, options))
            write(`${options.json ? line : text(record)}\n`);
        }
    });

  command
    .command("verify")
    .description("Check that no line was changed, removed or moved. Fails with the first one.")
    .option("--anchor <json>", "`tips` of an earlier check, which were kept elsewhere", anchor, [])
    .option("--json", "one JSON object instead of text")
    .action(async (options: { json?: true; anchor: FileLink[] }) => {
      const result = await verifyAudit(dir, options.anchor);
      const { files, records, broken } = result;
      if (options.json) write(`${JSON.stringify({ ok: !broken, ...result })}\n`);
      else if (!broken) write(`${records} records in ${files} files of ${dir} are as they were written.\n`);
      if (broken) throw new Error(`${join(dir, broken.file)}, line ${broken.line}: ${broken.problem}`);
    });

  return command;
}

function matches({ at, who, tool, login }: Listed, options: ListOptions): boolean {
  const { person } = options;
  return (
    (options.since === undefined || Date.parse(at) >= options.since) &&
    (options.tool === undefined || tool === options.tool) &&
    (person === undefined ||
      [who?.id, who?.id?.replace(/^(user|sub):/, ""), who?.name, login].includes(person))
  );
}

/** What a line shows besides its time, type and person, in this order. */
const SHOWN = [
  "tool",
  "repository",
  "outcome",
  "ms",
  "how",
  "client",
  "scopes",
  "reason",
  "grant",
  "key",
  "lost",
];

function text(record: Listed): string {
  const { at, type, who, login } = record;
  const details = SHOWN.flatMap((name) =>
    record[name] === undefined
      ? []
      : `${name}=${typeof record[name] === "string" ? record[name] : JSON.stringify(record[name])}`,
  );
  const person = who?.name ?? who?.id ?? login ?? "-";
  // Names and reasons come from clients: no control characters for the terminal.
  return [at, type, person, ...details].join("  ").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}
