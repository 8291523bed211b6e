import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { home } from "../../infra/paths.ts";

/** The passphrase of this checkout. It encrypts the secrets in the engine's state, and those of `--set`. */
export const passphraseFile = join(home, "passphrase");

/** Bytes of the nonce and the tag of AES-GCM (NIST SP 800-38D). */
const NONCE = 12;
const TAG = 16;

export async function ensurePassphrase(): Promise<void> {
  await mkdir(home, { recursive: true });
  if (existsSync(passphraseFile)) return;
  await writeFile(passphraseFile, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" });
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
