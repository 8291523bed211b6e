import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { s3Client } from "./clients.ts";
import type { Objects } from "./convergence.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import type { Archive, Shelf } from "./prune.ts";
import { RefusedError } from "./refused.ts";

/** Errors for which a retry does not help (S3 API reference, "Error responses"). */
const FINAL = new Set([
  ...["AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", "SignatureDoesNotMatch"],
  ...["ExpiredToken", "InvalidToken", "NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed"],
]);

/** @param ms limit of a request, milliseconds */
const within = (ms: number) => ({ abortSignal: AbortSignal.timeout(ms) });

/** A stack's bucket, with the operations of a deployment on small JSON objects. */
export class BucketClient implements Objects, Shelf {
  readonly #bucket: string;
  readonly #client: S3Client;
  readonly #tags: string;

  /** @param tags of the object; a write without tags removes existing ones */
  constructor(bucket: string, settings: ProviderSettings, tags: Record<string, string> = {}) {
    this.#bucket = bucket;
    this.#tags = new URLSearchParams(tags).toString();
    this.#client = s3Client(settings);
  }

  /** @returns undefined when there is no such object */
  get<T>(key: string): Promise<T | undefined> {
    return this.#explained("GetObject", key, async () => {
      const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
      try {
        const { Body } = await this.#client.send(command, within(15_000));
        return JSON.parse((await Body?.transformToString()) ?? "") as T;
      } catch (error) {
        if (error instanceof S3ServiceException && error.name === "NoSuchKey") return undefined;
        throw error;
      }
    });
  }

  async put(key: string, content: string): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: content,
      ContentType: "application/json",
      ...(this.#tags ? { Tagging: this.#tags } : {}),
    });
    await this.#explained("PutObject", key, () => this.#client.send(command, within(15_000)));
  }

  list(prefix: string): Promise<Archive[]> {
    const place = { Bucket: this.#bucket, Prefix: prefix };
    return this.#explained("ListBucket", prefix, async () => {
      const found: Archive[] = [];
      for await (const page of paginateListObjectsV2({ client: this.#client }, place, within(60_000)))
        for (const { Key, LastModified } of page.Contents ?? [])
          if (Key && LastModified) found.push({ key: Key, at: LastModified });
      return found;
    });
  }

  /** The existing object becomes a noncurrent version, since the bucket is versioned. */
  async remove(key: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key });
    await this.#explained("DeleteObject", key, () => this.#client.send(command, within(15_000)));
  }

  async #explained<T>(action: string, key: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw this.#explanation(action, key, error as Error);
    }
  }

  #explanation(action: string, key: string, error: Error): Error {
    if (!(error instanceof S3ServiceException)) return error;
    const words = `s3:${action} of ${key} in the bucket ${this.#bucket}: ${error.name}, ${error.message}`;
    if (!FINAL.has(error.name)) return new Error(words);
    const list =
      action === "GetObject" ? " and s3:ListBucket (without it, S3 refuses what is not there yet)" : "";
    return new RefusedError(
      error.name === "AccessDenied"
        ? `${words}. The credentials that run pulumi need s3:${action} on arn:aws:s3:::${this.#bucket}/${key}${list}: docs/deployer-policy.json`
        : words,
    );
  }
}
