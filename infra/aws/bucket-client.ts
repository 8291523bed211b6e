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

/** Codes that no repetition cures (S3 API reference, "Error responses"). */
const FINAL = new Set([
  ...["AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", "SignatureDoesNotMatch"],
  ...["ExpiredToken", "InvalidToken", "NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed"],
]);

/** A stack's bucket, as far as a deployment needs it: small JSON objects. */
export class BucketClient implements Objects, Shelf {
  readonly #bucket: string;
  readonly #client: S3Client;

  readonly #tags: string;

  /** @param tags of what is written: a write without them would take them away */
  constructor(bucket: string, settings: ProviderSettings, tags: Record<string, string> = {}) {
    this.#bucket = bucket;
    this.#tags = new URLSearchParams(tags).toString();
    this.#client = s3Client(settings);
  }

  /** @returns undefined when there is no such object */
  async get<T>(key: string): Promise<T | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }), {
        abortSignal: AbortSignal.timeout(15_000),
      });
      return JSON.parse((await Body?.transformToString()) ?? "") as T;
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === "NoSuchKey") return undefined;
      throw this.#explained("GetObject", key, error as Error);
    }
  }

  async put(key: string, content: string): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: content,
      ContentType: "application/json",
      ...(this.#tags ? { Tagging: this.#tags } : {}),
    });
    try {
      await this.#client.send(command, { abortSignal: AbortSignal.timeout(15_000) });
    } catch (error) {
      throw this.#explained("PutObject", key, error as Error);
    }
  }

  async list(prefix: string): Promise<Archive[]> {
    const found: Archive[] = [];
    try {
      const pages = paginateListObjectsV2(
        { client: this.#client },
        { Bucket: this.#bucket, Prefix: prefix },
        { abortSignal: AbortSignal.timeout(60_000) },
      );
      for await (const { Contents = [] } of pages)
        for (const { Key, LastModified } of Contents)
          if (Key && LastModified) found.push({ key: Key, at: LastModified });
    } catch (error) {
      throw this.#explained("ListBucket", prefix, error as Error);
    }
    return found;
  }

  /** What was there becomes an older version: the bucket keeps versions. */
  async remove(key: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }), {
        abortSignal: AbortSignal.timeout(15_000),
      });
    } catch (error) {
      throw this.#explained("DeleteObject", key, error as Error);
    }
  }

  #explained(action: string, key: string, error: Error): Error {
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
