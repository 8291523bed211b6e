import { readFile, rename, writeFile } from "node:fs/promises";
import { machineRef } from "../machine/machine-ref.ts";
import { serverArguments, serverCommand } from "../machine/server-command.ts";

interface Verification {
  files: number;
  records: number;
  tips: unknown[];
}

/**
 * Checks a machine's audit log against the anchor in `file`, and writes the new one there. Without the file only the log itself is checked.
 *
 * @returns what was checked
 * @throws Error with the first line that is not as it was written; the anchor stays as it is
 */
export async function verifyWithAnchor(
  file: string,
  options: { stack: string; machine?: string; json: boolean },
): Promise<string> {
  const before = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const ref = await machineRef(options.stack, options.machine);
  const anchor = before?.trim();
  const text = await serverCommand(ref, serverArguments(["audit", "verify"], { json: true, anchor }));
  const { files, records, tips }: Verification = JSON.parse(text);
  await writeFile(`${file}.new`, `${JSON.stringify(tips)}\n`);
  await rename(`${file}.new`, file);
  if (options.json) return text.trimEnd();
  return `${records} records in ${files} files are as they were written${anchor ? `, and follow the anchor in ${file}` : `. ${file} is the anchor for later checks`}.`;
}
