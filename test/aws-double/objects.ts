import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/**
 * The buckets' contents as files, shared by the plugin and the endpoint: one folder a bucket, one file an object. What is written
 * over or deleted stays as an older version, as in a bucket with versioning. No lifecycle rule deletes it here. A process that reads
 * while another one writes gets either the old content or the new one, each with its own ETag.
 */

export interface ObjectMeta {
  /** The content's ETag, without quotes. */
  etag: string;
  contentType: string;
  /** A PUT without tags removes the object's tags. */
  tags: Record<string, string>;
  versionId: string;
}

export interface StoredObject extends ObjectMeta {
  content: Buffer;
}

const folderOf = (home: string, bucket: string) => join(home, "objects", encodeURIComponent(bucket));
const fileOf = (home: string, bucket: string, key: string) =>
  join(folderOf(home, bucket), encodeURIComponent(key));

/** Names in a bucket's folder: `<key>`, `<key>.meta~`, and for each older version `<key>.<version>.old~`. */
const OLD = /\.([\w-]+)\.old~$/;

const etagOf = (content: Buffer) => createHash("md5").update(content).digest("hex");

/** Makes the current content an older version. It stays the current one too, until it is replaced or deleted. */
function makeOld(home: string, bucket: string, key: string): void {
  const file = fileOf(home, bucket, key);
  const current = getObject(home, bucket, key);
  if (current) linkSync(file, `${file}.${current.versionId}.old~`);
}

function writeWhole(file: string, content: Buffer | string): void {
  const partial = `${file}.${process.pid}~`;
  writeFileSync(partial, content);
  renameSync(partial, file);
}

export function putObject(
  home: string,
  bucket: string,
  key: string,
  content: Buffer,
  { contentType, tags = {} }: { contentType: string; tags?: Record<string, string> },
): ObjectMeta {
  mkdirSync(folderOf(home, bucket), { recursive: true });
  const file = fileOf(home, bucket, key);
  const meta = { contentType, tags, versionId: `v${randomBytes(6).toString("hex")}` };
  makeOld(home, bucket, key);
  writeWhole(`${file}.meta~`, JSON.stringify(meta));
  writeWhole(file, content);
  return { ...meta, etag: etagOf(content) };
}

/** Changes only the tags. */
export function tagObject(home: string, bucket: string, key: string, tags: Record<string, string>): void {
  const object = getObject(home, bucket, key);
  if (!object) return;
  const { contentType, versionId } = object;
  writeWhole(`${fileOf(home, bucket, key)}.meta~`, JSON.stringify({ contentType, tags, versionId }));
}

export function getObject(home: string, bucket: string, key: string): StoredObject | undefined {
  const file = fileOf(home, bucket, key);
  try {
    const content = readFileSync(file);
    const meta = JSON.parse(readFileSync(`${file}.meta~`, "utf8")) as Omit<ObjectMeta, "etag">;
    return { content, ...meta, etag: etagOf(content) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Deletes as S3's DELETE without a version: readers get 404, and the object becomes a noncurrent version. */
export function deleteObject(home: string, bucket: string, key: string): void {
  makeOld(home, bucket, key);
  rmSync(fileOf(home, bucket, key), { force: true });
  rmSync(`${fileOf(home, bucket, key)}.meta~`, { force: true });
}

/** Deletes every version, as the provider does. */
export function deleteAllVersions(home: string, bucket: string, key: string): void {
  const file = fileOf(home, bucket, key);
  for (const version of versionsOf(home, bucket, key)) rmSync(`${file}.${version}.old~`, { force: true });
  rmSync(file, { force: true });
  rmSync(`${file}.meta~`, { force: true });
}

/** Ids of the older versions of an object, which may be deleted. */
export function versionsOf(home: string, bucket: string, key: string): string[] {
  const start = `${encodeURIComponent(key)}.`;
  const names = existsSync(folderOf(home, bucket)) ? readdirSync(folderOf(home, bucket)) : [];
  return names
    .filter((name) => name.startsWith(start))
    .flatMap((name) => OLD.exec(name.slice(start.length - 1))?.[1] ?? []);
}

/** The keys of a bucket, sorted. */
export function listObjects(home: string, bucket: string): string[] {
  const folder = folderOf(home, bucket);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => !name.endsWith("~"));
  return names.map(decodeURIComponent).sort();
}

/** When an object was written. */
export const writtenAt = (home: string, bucket: string, key: string): Date =>
  statSync(fileOf(home, bucket, key)).mtime;

/** Every key with at least one version. */
export function listVersions(home: string, bucket: string): string[] {
  const folder = folderOf(home, bucket);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => OLD.test(name));
  return [
    ...new Set([
      ...listObjects(home, bucket),
      ...names.map((name) => decodeURIComponent(name.replace(OLD, ""))),
    ]),
  ].sort();
}
