import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { home } from "../../infra/paths.ts";

/** The passphrase of this checkout. It encrypts the secrets in the engine's state, and those of `--set`. */
export const passphraseFile = join(home, "passphrase");

/** Bytes of the nonce and the tag of AES-GCM (NIST SP 800-38D). */
const NONCE = 12;
const TAG = 16;

/** Makes the passphrase, once. It is there as a whole or not at all, also for others that make it at the same time. */
export async function ensurePassphrase(): Promise<void> {
  if (existsSync(passphraseFile)) return;
  await mkdir(home, { recursive: true });
  const made = `${passphraseFile}.${randomUUID()}`;
  try {
    await writeFile(made, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" });
    // Unlike a rename, it does not replace one that another has made meanwhile.
    await link(made, passphraseFile).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(made, { force: true });
  }
}

/** Encrypts a text with the passphrase of this checkout. @param context such as the name of the text: what is needed to decrypt it, too */
export async function encryptText(text: string, context: string): Promise<string> {
  await ensurePassphrase();
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", await key(), nonce).setAAD(Buffer.from(context));
  const parts = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
  return `v1:${Buffer.concat(parts).toString("base64")}`;
}

/** @throws Error when it was encrypted with another passphrase or in another context */
export async function decryptText(encrypted: string, context: string): Promise<string> {
  const bytes = Buffer.from(encrypted.replace(/^v1:/, ""), "base64");
  const cipher = createDecipheriv("aes-256-gcm", await key(), bytes.subarray(0, NONCE));
  cipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG));
  return cipher.update(bytes.subarray(NONCE, -TAG), undefined, "utf8") + cipher.final("utf8");
}

/** The passphrase is 24 random bytes, so its derivation need not be slow. */
const key = async () =>
  Buffer.from(hkdfSync("sha256", await readFile(passphraseFile), "", "mcp-edge overrides", 32));
