import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();

/**
 * Headers that sign a request to S3 by Signature Version 4 (AWS General Reference, "Create a signed AWS API request"). Pure.
 * @param request its path must be encoded as it is sent; no query
 * @param at time of the signature; AWS takes it for 15 minutes
 */
export function signedHeaders(
  request: { method: string; url: URL; body: string },
  { region, credentials, at }: { region: string; credentials: Credentials; at: Date },
): Record<string, string> {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const payload = sha256(request.body);
  const headers: Record<string, string> = {
    host: request.url.host,
    "x-amz-content-sha256": payload,
    "x-amz-date": time,
    ...(credentials.sessionToken ? { "x-amz-security-token": credentials.sessionToken } : {}),
  };
  const names = Object.keys(headers).sort().join(";");
  const canonical = [
    request.method,
    request.url.pathname,
    "",
    ...Object.entries(headers)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}:${value}`),
    "",
    names,
    payload,
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  const credential = `${credentials.accessKeyId}/${scope}`;
  const { host: _host, ...sent } = headers; // fetch writes it itself
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}
