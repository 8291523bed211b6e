import { sleep } from "../exec.ts";
import { askReadyz } from "../readyz.ts";
import type { Patience } from "./convergence.ts";

/**
 * Whether a machine is ready. The certificate is not verified: the machine's status reports it, and tests have roots that this
 * host does not know.
 */
const ready = (address: string, domain: string, port: number): Promise<boolean> =>
  askReadyz(address, domain, { port, rejectUnauthorized: false, timeout: 5_000 }).then(
    (status) => status === 200,
    () => false,
  );

/**
 * Waits until every machine answers this host. A machine that was restarted with another type reports nothing new in the bucket.
 * @returns the addresses that do not answer within the limit, which is three minutes
 */
export async function unanswered(
  addresses: string[],
  domain: string,
  { log, limit = 180_000, every = 1_000, port = 443 }: Patience & { port?: number },
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
