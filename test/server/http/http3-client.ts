/**
 * A client over HTTP/3 in a process of its own, for tests that stop it as a whole: only then does it take no packet off the network. Its
 * one argument is what to ask, as JSON; it prints a line when the response is there, and reads on. SIGTERM ends its connection with a
 * CONNECTION_CLOSE. A client that is killed sends none: NGINX then waits for QUIC's idle timeout.
 */
import { http3Fetch } from "../../../cli/http3/http3-fetch.ts";

const { url, ca, ...request } = JSON.parse(process.argv[2] ?? "") as {
  url: string;
  ca: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
};
const client = http3Fetch({ ca, address: "127.0.0.1", connectTimeoutMs: 60_000 });
process.once("SIGTERM", () => void client.close().finally(() => process.exit()));
const response = await client.fetch(url, request);
process.stdout.write(`${response.status}\n`);
// The reader fails when the connection is closed, by either side.
await response.body?.pipeTo(new WritableStream()).catch(() => undefined);
