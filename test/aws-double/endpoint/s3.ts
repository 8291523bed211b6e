import { createHash } from "node:crypto";
import type { Account } from "../kind.ts";
import { deleteObject, getObject, listObjects, putObject, writtenAt } from "../objects.ts";
import { BUCKET } from "../services/s3.ts";
import type { Gate } from "./api.ts";
import type { SignedRequest } from "./sigv4.ts";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body?: Buffer | string;
}

/** An error as S3 returns it: an HTTP status and a code. */
export class S3Error extends Error {
  override name = "S3Error";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const denied = (action: string, resource: string) =>
  new S3Error(403, "AccessDenied", `not authorized to perform: ${action} on resource: ${resource}`);

const md5 = (body: Buffer) => createHash("md5").update(body).digest("base64");

/** S3 with the bucket in the path: GET, HEAD, PUT and DELETE of objects, and the list. */
export function answerS3(aws: Account, gate: Gate, request: SignedRequest): Answer {
  const url = new URL(request.target, "http://s3");
  const [, bucket = "", ...rest] = url.pathname.split("/");
  const key = decodeURIComponent(rest.join("/"));
  if (!aws.store.get(BUCKET, bucket)) throw new S3Error(404, "NoSuchBucket", `${bucket} does not exist`);
  const bucketArn = `arn:${aws.partition}:s3:::${bucket}`;
  if (key === "") return list(aws, gate, bucket, bucketArn, url.searchParams);
  const resource = `${bucketArn}/${key}`;
  const mayList = gate({ action: "s3:ListBucket", resource: bucketArn });
  const { home } = aws.store;
  switch (request.method) {
    case "GET":
    case "HEAD": {
      if (!gate({ action: "s3:GetObject", resource })) throw denied("s3:GetObject", resource);
      const object = getObject(home, bucket, key);
      // A caller that may not list the bucket does not learn that a key is missing.
      if (!object) throw mayList ? new S3Error(404, "NoSuchKey", key) : denied("s3:ListBucket", bucketArn);
      const headers = { etag: `"${object.etag}"`, "content-type": object.contentType };
      const known = request.headers["if-none-match"];
      if (known === `"${object.etag}"` || known === object.etag) return { status: 304, headers };
      return {
        status: 200,
        headers: { ...headers, "content-length": String(object.content.length) },
        body: object.content,
      };
    }
    case "PUT": {
      if (!gate({ action: "s3:PutObject", resource })) throw denied("s3:PutObject", resource);
      const digest = request.headers["content-md5"];
      if (digest !== undefined && digest !== md5(request.body))
        throw new S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
      const type = request.headers["content-type"] ?? "binary/octet-stream";
      const tags = Object.fromEntries(new URLSearchParams(request.headers["x-amz-tagging"] ?? ""));
      if (Object.keys(tags).length > 0 && !gate({ action: "s3:PutObjectTagging", resource }))
        throw denied("s3:PutObjectTagging", resource);
      const { etag, versionId } = putObject(home, bucket, key, request.body, { contentType: type, tags });
      return { status: 200, headers: { etag: `"${etag}"`, "x-amz-version-id": versionId } };
    }
    case "DELETE":
      if (!gate({ action: "s3:DeleteObject", resource })) throw denied("s3:DeleteObject", resource);
      deleteObject(home, bucket, key);
      return { status: 204, headers: {} };
    default:
      throw new S3Error(405, "MethodNotAllowed", request.method);
  }
}

const xml = (value: string) => value.replace(/[<>&]/g, (char) => `&#${char.charCodeAt(0)};`);

function list(aws: Account, gate: Gate, bucket: string, bucketArn: string, query: URLSearchParams): Answer {
  const prefix = query.get("prefix") ?? "";
  if (!gate({ action: "s3:ListBucket", resource: bucketArn, context: { "s3:prefix": prefix } }))
    throw denied("s3:ListBucket", bucketArn);
  const keys = listObjects(aws.store.home, bucket).filter((key) => key.startsWith(prefix));
  const contents = keys
    .map((key) => {
      const at = writtenAt(aws.store.home, bucket, key).toISOString();
      return `<Contents><Key>${xml(key)}</Key><LastModified>${at}</LastModified></Contents>`;
    })
    .join("");
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult><Name>${bucket}</Name><Prefix>${xml(prefix)}</Prefix><KeyCount>${keys.length}</KeyCount><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`;
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}
