import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { home } from "../../infra/paths.ts";
import { decryptText, encryptText } from "./passphrase.ts";
import { isSecret } from "./secret-settings.ts";

/** What `up` was asked for beyond the stack's file; kept until `down`, so that the next `up` means the same machine. */
export type Overrides = Record<string, string>;

/** As they are on the disk: a secret is encrypted with the passphrase of this checkout. */
type Stored = Record<string, string | { secure: string }>;

const overridesFile = (stack: string) => join(home, "stacks", stack, "overrides.json");

const stored = async (stack: string): Promise<Stored> =>
  JSON.parse(await readFile(overridesFile(stack), "utf8").catch(() => "{}"));

/**
 * The overrides of a stack, with changes to them.
 *
 * @param changes an empty value takes an override back
 * @throws Error with the command to run when a secret cannot be decrypted
 */
export async function withOverrides(stack: string, changes: Overrides): Promise<Overrides> {
  const kept = Object.entries(await stored(stack)).filter(([key]) => changes[key] === undefined);
  const plain = await Promise.all(
    kept.map(async ([key, value]) => [
      key,
      typeof value === "string" ? value : await decrypted(stack, key, value),
    ]),
  );
  const all: Overrides = { ...Object.fromEntries(plain), ...changes };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** @param changes an empty value takes an override back */
export async function rememberOverrides(stack: string, changes: Overrides): Promise<void> {
  const all = Object.entries(await withOverrides(stack, changes));
  const storable: Stored = Object.fromEntries(
    await Promise.all(
      all.map(async ([key, value]) => [
        key,
        isSecret(key) ? { secure: await encryptText(value, key) } : value,
      ]),
    ),
  );
  const file = overridesFile(stack);
  await mkdir(join(home, "stacks", stack), { recursive: true });
  // Earlier versions wrote secrets in clear. The mode of `writeFile` applies to a new file only.
  await writeFile(file, JSON.stringify(storable), { mode: 0o600 });
  await chmod(file, 0o600);
}

async function decrypted(stack: string, key: string, { secure }: { secure: string }): Promise<string> {
  try {
    return await decryptText(secure, key);
  } catch {
    const of = stack === "local" ? "" : `--stack ${stack} `;
    throw new Error(
      `The setting ${key} in ${overridesFile(stack)} was encrypted with another passphrase than the one of this checkout. Set it again: npm run up -- ${of}--set ${key}=@FILE`,
    );
  }
}
