import { readFile } from "node:fs/promises";
import { metaOf, type Shape } from "../../infra/settings/meta.ts";
import { SCHEMAS } from "../../infra/settings/schemas.ts";
import { NAMESPACE } from "../../infra/settings.ts";

const shape: Shape = SCHEMAS.local;

/** Whether a setting of a stack on this host is secret. */
export const isSecret = (key: string) => {
  const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
  return schema !== undefined && metaOf(schema).secret === true;
};

/**
 * The values of `--set`, with the content of FILE for a secret that is given as `@FILE`.
 *
 * @throws Error for a secret on the command line, where other users of this host can read it, and for a file that cannot be read
 */
export async function readSecrets(given: Record<string, string>): Promise<Record<string, string>> {
  const read = async ([key, value]: [string, string]): Promise<[string, string]> => {
    if (value === "" || !isSecret(key)) return [key, value];
    if (!value.startsWith("@"))
      throw new Error(
        `--set ${key}: other users of this host can read what is on a command line. Write the value to a file: --set ${key}=@FILE`,
      );
    const file = value.slice(1);
    const content = await readFile(file, "utf8").catch((error: Error) => {
      throw new Error(`--set ${key}=${value}: ${error.message}`);
    });
    return [key, content.trim()];
  };
  return Object.fromEntries(await Promise.all(Object.entries(given).map(read)));
}

/** Splits a configuration by full key into what a file may hold, and what the engine has to encrypt. */
export function splitSecrets(config: Record<string, string>): {
  plain: Record<string, string>;
  secrets: Record<string, string>;
} {
  const keep = (wanted: boolean) =>
    Object.fromEntries(
      Object.entries(config).filter(
        ([key]) => (key.startsWith(`${NAMESPACE}:`) && isSecret(key.slice(NAMESPACE.length + 1))) === wanted,
      ),
    );
  return { plain: keep(false), secrets: keep(true) };
}
