import { join } from "node:path";
import { run } from "../../../infra/exec.ts";
import { withLock } from "../../../infra/local/lock.ts";
import { networkOf } from "../../../infra/local/network.ts";
import type { Part } from "../kind.ts";
import { addressAt, parseCidr } from "../limits.ts";
import type { Store } from "../store.ts";
import { text } from "../values.ts";
import { convergeDns } from "./dns.ts";
import { convergeFirewall } from "./firewall.ts";
import { cloudOf } from "./plan.ts";

/** Each IPv6 subnet has its router on the bridge. */
async function convergeNetwork(store: Store): Promise<void> {
  const cloud = cloudOf(store.home);
  if (!cloud) return;
  const { bridge } = networkOf(cloud.networkIndex);
  for (const { inputs } of store.all("aws:ec2/subnet:Subnet")) {
    const block = parseCidr(text(inputs, "ipv6CidrBlock"));
    if (block) {
      await run("ip", ["-6", "addr", "replace", `${addressAt(block, 1)}/64`, "dev", bridge, "nodad"]);
    }
  }
}

const steps: Record<Part, (store: Store) => Promise<void>> = {
  network: convergeNetwork,
  firewall: convergeFirewall,
  dns: convergeDns,
};

/** Applies the account's state to this host. A lock serializes the changes of several processes. */
export function converger(store: Store) {
  let last: Promise<unknown> = Promise.resolve();
  return (parts: readonly Part[]): Promise<void> => {
    if (parts.length === 0 || !cloudOf(store.home)) return Promise.resolve();
    const work = async () => {
      for (const part of parts) await steps[part](store);
    };
    const turn = last.then(() => withLock(join(store.home, "converge.lock"), work));
    last = turn.catch(() => {});
    return turn;
  };
}
