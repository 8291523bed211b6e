import { createHash } from "node:crypto";
import type { FileRow } from "./file-row.ts";
import { FILES } from "./file-table.ts";
import { renderFile } from "./render.ts";
import { checkMachineSettings, type MachineSettings } from "./settings.ts";
import { type Role, rolesOf } from "./topology.ts";

export type { MachineSettings } from "./settings.ts";

/** A file of the machine, owned by root. */
export interface MachineFile {
  /** Absolute path on the machine. */
  path: string;
  content: string;
  /** Four octal digits, e.g. `"0644"`. */
  mode: string;
  /** Default: `root`. */
  group?: string;
}

/** Path of the table that the machine's own scripts read: one line a file, `CHANGES VALIDATOR ENABLES PATH`; `-`: none. */
export const FILE_TABLE = "/usr/local/lib/mcp-edge/files.table";

const tableOf = (rows: readonly FileRow[]): string =>
  rows
    .map(({ path, change = [], validator = "none", enables = "-" }) =>
      [change.join(",") || "-", validator, enables, path].join(" "),
    )
    .sort()
    .map((line) => `${line}\n`)
    .join("");

/** Whether a machine with these roles gets the file. */
const isFor = (row: FileRow, roles: readonly Role[]) =>
  row.role === "all" ||
  roles.some((role) => (typeof row.role === "string" ? [row.role] : row.role).includes(role));

/**
 * All files of a machine with these roles, sorted by path: the same settings give the same bytes.
 *
 * @param roles default: those of the one machine of `edge: terminate`
 * @param table for tests: other rows than the machine's own
 * @throws Error when a setting cannot stand in a configuration file, or a template names an unknown variable.
 */
export function machineFiles(
  settings: MachineSettings,
  roles: readonly Role[] = rolesOf("terminate", "edge"),
  table: readonly FileRow[] = FILES,
): MachineFile[] {
  checkMachineSettings(settings);
  const rows = table.filter((row) => isFor(row, roles) && (row.when?.(settings) ?? true));
  const files: MachineFile[] = rows.map(({ path, source, mode = "0644" }) => ({
    path,
    content: typeof source === "string" ? renderFile(source, settings) : source(settings),
    mode,
  }));
  files.push({ path: FILE_TABLE, content: tableOf(rows), mode: "0644" });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One line a file, `sha256 mode group path`: what `mcp-edge-deploy files` verifies on the machine. */
export function manifest(files: readonly MachineFile[]): string {
  const line = (file: MachineFile) =>
    `${createHash("sha256").update(file.content).digest("hex")} ${file.mode} ${file.group ?? "root"} ${file.path}\n`;
  return files.map(line).sort().join("");
}

/** Hash of a set of files, in hex: the sha256 of its manifest. It names the archive `files-<hash>.tar`. */
export function filesHash(files: readonly MachineFile[]): string {
  return createHash("sha256").update(manifest(files)).digest("hex");
}
