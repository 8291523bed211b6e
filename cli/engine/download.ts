import { createHash } from "node:crypto";
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { ENGINE_VERSION } from "./find.ts";

const RELEASES = `https://github.com/pulumi/pulumi/releases/download/v${ENGINE_VERSION}`;

/** Name of the official archive for this platform, as Pulumi's installer spells it. */
export function archiveName(platform: string = process.platform, arch: string = process.arch): string {
  return `pulumi-v${ENGINE_VERSION}-${platform}-${arch}.tar.gz`;
}

/** The sha256 of `name` in a checksums file ("<hex>  <name>" a line). */
export function checksumOf(text: string, name: string): string | undefined {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find(([, file]) => file === name)?.[0];
}

/**
 * Downloads the official distribution into `folder`, and verifies it by its checksums file.
 * @throws Error if the server does not answer within 10 s, the download is incomplete, or the checksum differs
 */
export async function downloadEngine(
  folder: string,
  log: (line: string) => void,
  base = RELEASES,
): Promise<void> {
  const name = archiveName();
  const sums = await fetch(`${base}/pulumi-${ENGINE_VERSION}-checksums.txt`, {
    signal: AbortSignal.timeout(10_000),
  });
  if (!sums.ok) throw new Error(`${sums.url} answered ${sums.status}`);
  const wanted = checksumOf(await sums.text(), name);
  if (!wanted) throw new Error(`${sums.url} does not list ${name}`);

  const response = await fetch(`${base}/${name}`, { signal: AbortSignal.timeout(600_000) });
  if (!response.ok || !response.body) throw new Error(`${response.url} answered ${response.status}`);
  const total = Number(response.headers.get("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  const hash = createHash("sha256");
  let got = 0;
  let told = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    hash.update(chunk);
    got += chunk.length;
    if (got - told < 10e6) continue;
    told = got;
    log(`${(got / 1e6).toFixed(0)} of ${total ? (total / 1e6).toFixed(0) : "?"} MB`);
  }
  if (hash.digest("hex") !== wanted) throw new Error(`${name} has another checksum than its release says`);

  const partial = await mkdtemp(`${folder}.partial-`);
  try {
    await writeFile(join(partial, name), Buffer.concat(chunks));
    await run("tar", ["-xzf", name, "--strip-components=1"], { cwd: partial });
    await rm(join(partial, name));
    if (!(await readdir(partial)).includes("pulumi")) throw new Error(`${name} has no pulumi in it`);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
