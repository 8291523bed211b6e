import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Credentials } from "../account.ts";

/** AWS Signature Version 4 as its receivers check it (IAM user guide, "Create a signed AWS API request"). */
export interface SignedRequest {
  method: string;
  /** Path and query as received, percent-encoded by the client. */
  target: string;
  headers: Record<string, string | undefined>;
  body: Buffer;
}

/** The request's signature is missing or invalid. The code is AWS's. */
export class SignatureError extends Error {
  override name = "SignatureError";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");
const hmac = (key: Buffer | string, data: string) => createHmac("sha256", key).update(data).digest();

const encode = (value: string) =>
  encodeURIComponent(value).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function canonicalQuery(query: string): string {
  const pairs = query.split("&").filter(Boolean);
  const parsed = pairs.map((pair) => {
    const [key = "", value = ""] = pair.split("=");
    return [encode(decodeURIComponent(key)), encode(decodeURIComponent(value))] as const;
  });
  return parsed
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join("&");
}

interface Header {
  accessKeyId: string;
  date: string;
  region: string;
  service: string;
  signedHeaders: string[];
  signature: string;
}

function parse(authorization: string | undefined): Header {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(
      authorization ?? "",
    );
  if (!match) throw new SignatureError("AccessDenied", "The request is not signed with AWS4-HMAC-SHA256.");
  const [, accessKeyId = "", date = "", region = "", service = "", headers = "", signature = ""] = match;
  return { accessKeyId, date, region, service, signedHeaders: headers.split(";"), signature };
}

const FIFTEEN_MINUTES = 900_000;

function checkTime(stamp: string): void {
  const iso = stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  if (!(Math.abs(Date.parse(iso) - Date.now()) < FIFTEEN_MINUTES))
    throw new SignatureError("RequestTimeTooSkewed", `x-amz-date ${stamp} is not within 15 minutes.`);
}

export interface Signer {
  accessKeyId: string;
  region: string;
  service: string;
}

/**
 * Check a request's signature.
 * @param find the credentials of an access key.
 * @throws SignatureError when it is missing, of an unknown key, too old, or not over this very request.
 */
export function verify(
  request: SignedRequest,
  find: (accessKeyId: string) => Credentials | undefined,
): Signer {
  const { headers, body, method, target } = request;
  const header = parse(headers.authorization);
  const credentials = find(header.accessKeyId);
  if (!credentials) throw new SignatureError("InvalidAccessKeyId", `${header.accessKeyId} does not exist.`);
  if (credentials.sessionToken !== undefined && headers["x-amz-security-token"] !== credentials.sessionToken)
    throw new SignatureError("InvalidToken", "The provided token is malformed or otherwise invalid.");
  const stamp = headers["x-amz-date"] ?? "";
  checkTime(stamp);
  const stated = headers["x-amz-content-sha256"];
  const bodyHash = sha256(body);
  if (stated !== undefined && stated !== "UNSIGNED-PAYLOAD" && stated !== bodyHash)
    throw new SignatureError("XAmzContentSHA256Mismatch", "x-amz-content-sha256 is not the body's hash.");
  const [path = "/", query = ""] = target.split("?");
  const canonical = [
    method,
    header.service === "s3" ? path : path.split("/").map(encode).join("/"),
    canonicalQuery(query),
    ...header.signedHeaders.map((name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    header.signedHeaders.join(";"),
    stated ?? bodyHash,
  ].join("\n");
  const scope = `${header.date}/${header.region}/${header.service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n");
  const parts = [header.date, header.region, header.service, "aws4_request"];
  const key = parts.reduce<Buffer | string>((k, part) => hmac(k, part), `AWS4${credentials.secretAccessKey}`);
  const expected = hmac(key, toSign);
  if (!timingSafeEqual(expected, Buffer.from(header.signature, "hex")))
    throw new SignatureError(
      "SignatureDoesNotMatch",
      "The signature does not match the one that was computed.",
    );
  if (!header.signedHeaders.includes("host"))
    throw new SignatureError("AccessDenied", "The header host must be signed.");
  return { accessKeyId: header.accessKeyId, region: header.region, service: header.service };
}
