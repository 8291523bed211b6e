import { type Credentials, signedHeaders } from "./sigv4.ts";

export interface Place {
  bucket: string;
  region: string;
  /** Base URL of another S3 than AWS's, with the bucket in the path; default "": AWS. */
  endpoint: string;
}

/** S3 as far as a deployment needs it: small JSON objects. */
export class BucketClient {
  readonly #place: Place;
  readonly #credentials: () => Promise<Credentials>;

  /** @param credentials asked for each request, since temporary ones run out */
  constructor(place: Place, credentials: () => Promise<Credentials>) {
    this.#place = place;
    this.#credentials = credentials;
  }

  /** @returns undefined when there is no such object (S3 says 403 to who may not list the bucket) */
  async get<T>(key: string): Promise<T | undefined> {
    const answer = await this.#send("GET", key, "");
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw await this.#refused("read", key, answer);
    return (await answer.json()) as T;
  }

  async put(key: string, content: string): Promise<void> {
    const answer = await this.#send("PUT", key, content);
    if (!answer.ok) throw await this.#refused("write", key, answer);
  }

  async #send(method: string, key: string, body: string): Promise<Response> {
    const { bucket, region, endpoint } = this.#place;
    const base = endpoint ? `${endpoint}/${bucket}` : `https://${bucket}.s3.${region}.amazonaws.com`;
    const url = new URL(`${base}/${key}`);
    const credentials = await this.#credentials();
    const headers = signedHeaders({ method, url, body }, { region, credentials, at: new Date() });
    const signal = AbortSignal.timeout(15_000);
    return fetch(url, { method, headers, signal, ...(method === "PUT" ? { body } : {}) });
  }

  async #refused(what: string, key: string, answer: Response): Promise<Error> {
    const words = (await answer.text()).slice(0, 300);
    return new Error(
      `cannot ${what} ${key} in the bucket ${this.#place.bucket}: HTTP ${answer.status} ${words}`,
    );
  }
}
