import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import * as z from "zod";
import { projectRoot } from "../../infra/paths.ts";
import { type Grant, grant } from "../../infra/settings/grants.ts";
import { NAMESPACE } from "../../infra/settings.ts";

const KEY = ["config", `${NAMESPACE}:grants`];

/** The file that `pulumi config set` writes. */
export const stackFileOf = (stack: string, folder = projectRoot): string =>
  join(folder, `Pulumi.${stack}.yaml`);

async function documentOf(file: string) {
  const document = parseDocument(existsSync(file) ? await readFile(file, "utf8") : "");
  const [error] = document.errors;
  if (error) throw new Error(`${file}: ${error.message}`);
  const found = z
    .array(grant)
    .default([])
    .safeParse(document.toJS()?.config?.[KEY[1] ?? ""] ?? undefined);
  if (!found.success)
    throw new Error(`${file}: ${NAMESPACE}:grants is not a list of grants (docs/settings.md)`);
  return { document, grants: found.data };
}

/** The grants of a stack's file; none where there is no such file. @throws Error for a file that cannot be understood */
export async function readGrants(file: string): Promise<Grant[]> {
  return (await documentOf(file)).grants;
}

/** Changes the grants of a stack's file, in one step. Everything else in it stays as it is, comments too. */
export async function changeGrants(file: string, change: (grants: Grant[]) => Grant[]): Promise<Grant[]> {
  const { document, grants } = await documentOf(file);
  const changed = change(grants);
  if (changed.length > 0) document.setIn(KEY, changed);
  else document.deleteIn(KEY);
  await writeFile(`${file}.new`, document.toString());
  await rename(`${file}.new`, file);
  return changed;
}
