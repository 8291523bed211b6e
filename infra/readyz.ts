import { type RequestOptions, request } from "node:https";

/**
 * Request `/readyz` of an edge at one of its addresses, under the edge's name.
 * @param options of the connection, such as `port` (default 443), `ca` and `timeout`
 * @returns the status of the answer
 * @throws the error of the connection
 */
export function askReadyz(address: string, domain: string, options: RequestOptions): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const place = {
    host: address,
    servername: domain,
    headers: { host: domain },
    path: "/readyz",
    agent: false,
  };
  const asked = request({ ...place, ...options }, (answer) => {
    answer.resume();
    resolve(answer.statusCode ?? 0);
  });
  asked.once("timeout", () =>
    asked.destroy(new Error(`no answer within ${(options.timeout ?? 0) / 1_000} s`)),
  );
  asked.once("error", reject);
  asked.end();
  return promise;
}
