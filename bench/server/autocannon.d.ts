/** The part of autocannon 9 that the bench uses (it brings no types). */
declare module "autocannon" {
  interface Client {
    setHeaders(headers: Record<string, string>): void;
  }
  interface Options {
    url: string;
    method: "POST";
    body: string;
    connections: number;
    /** Seconds. */
    duration: number;
    idReplacement: boolean;
    /** Seconds. */
    timeout: number;
    setupClient(client: Client): void;
    verifyBody(body: unknown): boolean;
  }
  interface Result {
    /** Seconds. */
    duration: number;
    requests: { total: number };
    latency: { p50: number; p99: number };
    non2xx: number;
    errors: number;
    mismatches: number;
  }
  export default function autocannon(options: Options): Promise<Result>;
}
