import type { CredentialSource } from "../../../infra/aws/credentials.ts";
import { signedHeaders } from "../../../infra/aws/sigv4.ts";
import { CheckFailure } from "../check.ts";
import { parseXml, type Xml } from "./xml.ts";

/** Versions of the APIs that speak the query protocol. */
const VERSIONS = { ec2: "2016-11-15", sts: "2011-06-15", monitoring: "2010-08-01" } as const;

export interface AwsClientOptions {
  region: string;
  credentials: CredentialSource;
  /** Base URL of something else than AWS for a service of the provider, such as ec2; "": AWS's own. Default: AWS's own for all. */
  endpoint?: (service: string) => string;
  /** Limit of one request, milliseconds. Default 10 000. */
  limitMs?: number;
}

/** AWS as far as the checks need it: it can only ask, there is no call here that changes anything. */
export class AwsClient {
  readonly #options: AwsClientOptions;

  constructor(options: AwsClientOptions) {
    this.#options = options;
  }

  get region(): string {
    return this.#options.region;
  }

  /** A Describe, Get or List of a service with the query protocol. @param parameters such as `Filter.1.Name` */
  async query(
    service: keyof typeof VERSIONS,
    action: `${"Describe" | "Get" | "List"}${string}`,
    parameters: Record<string, string> = {},
  ): Promise<Xml> {
    const body = new URLSearchParams({
      Action: action,
      Version: VERSIONS[service],
      ...parameters,
    }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    const url = this.#url(service, "/");
    return parseXml(await this.#ask(service, { method: "POST", url, body, headers }));
  }

  /** A Get or Describe of Systems Manager, which speaks JSON. */
  async ssm<T>(action: `${"Describe" | "Get"}${string}`, parameters: object): Promise<T> {
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AmazonSSM.${action}`,
    };
    const body = JSON.stringify(parameters);
    return JSON.parse(await this.#ask("ssm", { method: "POST", url: this.#url("ssm", "/"), body, headers }));
  }

  /** A GET of Route 53, which is the whole world's and signed for one region. */
  async route53(path: string): Promise<Xml> {
    const url = this.#url("route53", `/2013-04-01/${path}`);
    return parseXml(await this.#ask("route53", { method: "GET", url, body: "" }));
  }

  /** A GET of S3: an object, or with `?…` what a bucket is set to. */
  async s3(bucket: string, path: string): Promise<string> {
    const endpoint = this.#endpoint("s3");
    const base = endpoint ? `${endpoint}/${bucket}` : `https://${bucket}.s3.${this.region}.amazonaws.com`;
    return this.#ask("s3", { method: "GET", url: new URL(`${base}/${path}`), body: "" });
  }

  #endpoint(service: string): string {
    return this.#options.endpoint?.(service === "monitoring" ? "cloudwatch" : service) ?? "";
  }

  #url(service: string, path: string): URL {
    const host = service === "route53" ? "route53.amazonaws.com" : `${service}.${this.region}.amazonaws.com`;
    return new URL(path, this.#endpoint(service) || `https://${host}`);
  }

  async #ask(
    service: string,
    request: { method: "GET" | "POST"; url: URL; body: string; headers?: Record<string, string> },
  ): Promise<string> {
    const { limitMs = 10_000 } = this.#options;
    const credentials = await this.#options.credentials();
    const region = service === "route53" ? "us-east-1" : this.region;
    const headers = signedHeaders(request, { region, credentials, at: new Date(), service });
    const answer = await fetch(request.url, {
      method: request.method,
      headers,
      signal: AbortSignal.timeout(limitMs),
      ...(request.method === "POST" ? { body: request.body } : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new CheckFailure(`${service} answered ${answer.status}: ${refusal(text)}`);
    return text;
  }
}

/** Code and message of an error, whichever way a service writes them. */
function refusal(text: string): string {
  const code = /<Code>([^<]+)<|"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"/.exec(text);
  const message = /<Message>([^<]+)<|"[mM]essage"\s*:\s*"([^"]+)"/.exec(text);
  const words = [code?.[1] ?? code?.[2], message?.[1] ?? message?.[2]].filter(Boolean);
  return words.length > 0 ? words.join(", ") : text.slice(0, 200);
}

/** `Filter.N.…` parameters of EC2 for these names and values. */
export function filters(all: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value], i) => [
      [`Filter.${i + 1}.Name`, name],
      [`Filter.${i + 1}.Value.1`, value],
    ]),
  );
}
