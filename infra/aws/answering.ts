import { request } from "node:https";
import { sleep } from "../exec.ts";
import type { Patience } from "./convergence.ts";

/**
 * Ask `/readyz` of a machine at its address, under the edge's name. Whose certificate it is plays no part: the machine's status tells
 * that, and tests have roots that this host does not know.
 * @param port default 443
 */
function ready(address: string, domain: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const asked = request(
      {
        ...{ host: address, port, servername: domain, path: "/readyz", agent: false, timeout: 5_000 },
        ...{ rejectUnauthorized: false, headers: { host: domain } },
      },
      (answer) => {
        answer.resume();
        done(answer.statusCode === 200);
      },
    );
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => done(false));
    asked.end();
  });
}

/**
 * Wait until every machine answers this host: one that was stopped and started for another type says nothing new in the bucket.
 * @returns the addresses that do not answer within the limit, which is three minutes
 */
export async function unanswered(
  addresses: string[],
  domain: string,
  { log, limit = 180_000, every = 3_000, port = 443 }: Patience & { port?: number },
): Promise<string[]> {
  const end = Date.now() + limit;
  for (let said = false; ; said = true) {
    const answers = await Promise.all(addresses.map((address) => ready(address, domain, port)));
    const silent = addresses.filter((_, index) => !answers[index]);
    if (silent.length === 0 || Date.now() >= end) return silent;
    if (!said) log(`wait for ${silent.join(", ")} to answer`);
    await sleep(every);
  }
}
