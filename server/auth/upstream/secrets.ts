import { readFile } from "node:fs/promises";
import type { ProviderKind } from "./settings.ts";

const MAX_BYTES = 16_384;

/**
 * Client secrets by provider: a line `google=SECRET` for each. The file is a systemd credential on a machine.
 *
 * @throws with the name of the file, never with a part of it
 */
export async function readSecrets(file: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`IDENTITY_PROVIDER_SECRETS_FILE: ${file} cannot be read: ${error.code}`);
  });
  if (text.length > MAX_BYTES) throw new Error(`IDENTITY_PROVIDER_SECRETS_FILE: ${file} is too long`);
  return new Map(
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line.includes("=") && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()]),
  );
}

export const missingSecret = (provider: ProviderKind, file: string) =>
  `IDENTITY_PROVIDER_SECRETS_FILE: ${file} has no line ${provider}=SECRET, which sign-in with ${provider} needs`;
