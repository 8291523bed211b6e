import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The buckets' contents as files, shared by the plugin and the endpoint: one folder a bucket, one file an object. */

export interface StoredObject {
  content: Buffer;
  /** Of the content, in quotes where HTTP writes it. */
  etag: string;
  contentType: string;
}

const folderOf = (home: string, bucket: string) => join(home, "objects", encodeURIComponent(bucket));
const fileOf = (home: string, bucket: string, key: string) =>
  join(folderOf(home, bucket), encodeURIComponent(key));

export function putObject(home: string, bucket: string, key: string, content: Buffer, contentType: string) {
  mkdirSync(folderOf(home, bucket), { recursive: true });
  const file = fileOf(home, bucket, key);
  const etag = createHash("md5").update(content).digest("hex");
  writeFileSync(`${file}.${process.pid}~`, content);
  writeFileSync(`${file}.meta~`, JSON.stringify({ etag, contentType }));
  renameSync(`${file}.${process.pid}~`, file);
  return { etag };
}

export function getObject(home: string, bucket: string, key: string): StoredObject | undefined {
  const file = fileOf(home, bucket, key);
  if (!existsSync(file)) return undefined;
  const meta = JSON.parse(readFileSync(`${file}.meta~`, "utf8")) as { etag: string; contentType: string };
  return { content: readFileSync(file), ...meta };
}

export function deleteObject(home: string, bucket: string, key: string): void {
  rmSync(fileOf(home, bucket, key), { force: true });
  rmSync(`${fileOf(home, bucket, key)}.meta~`, { force: true });
}

/** The keys of a bucket, sorted. */
export function listObjects(home: string, bucket: string): string[] {
  const folder = folderOf(home, bucket);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => !name.endsWith("~"));
  return names.map(decodeURIComponent).sort();
}
