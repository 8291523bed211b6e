import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { expect, test } from "@jest/globals";
import { acmeRoots } from "../../../infra/aws/acme-roots.ts";

test("certificates of Let's Encrypt need no further roots", async () => {
  expect(await acmeRoots({ acme: "letsencrypt", acmeCa: "" })).toBe("");
});

test("certificates of Let's Encrypt's staging environment have its four roots, by their fingerprints", async () => {
  const pem = await acmeRoots({ acme: "letsencrypt-staging", acmeCa: "" });
  const certificates = pem
    .split(/(?=-----BEGIN CERTIFICATE-----)/)
    .slice(1)
    .map((text) => new X509Certificate(text));
  expect(certificates.map(({ subject }) => /CN=(.*)/.exec(subject)?.[1])).toEqual([
    "(STAGING) Pretend Pear X1",
    "(STAGING) Bogus Broccoli X2",
    "(STAGING) Yearning Yucca Root YE",
    "(STAGING) Yonder Yam Root YR",
  ]);
  const named = [...pem.matchAll(/Fingerprint=(\S+)/g)].map(([, fingerprint]) => fingerprint);
  expect(certificates.map(({ fingerprint256 }) => fingerprint256)).toEqual(named);
  for (const certificate of certificates) {
    expect(certificate.ca && certificate.verify(certificate.publicKey)).toBe(true);
    // No root that clients trust already.
    expect(certificate.subject).toContain("(STAGING)");
  }
  expect(() => createSecureContext({ ca: pem })).not.toThrow();
});

test("certificates of another authority have the configured file as root", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-roots-"));
  const file = join(folder, "ca.pem");
  await writeFile(file, "PEM");
  const acme = "https://acme.example.com/directory";
  expect(await acmeRoots({ acme, acmeCa: file })).toBe(await readFile(file, "utf8"));
  await rm(folder, { recursive: true });
  await expect(acmeRoots({ acme, acmeCa: file })).rejects.toThrow(file);
});
