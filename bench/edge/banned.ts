import { connect } from "node:net";
import { run } from "../../infra/exec.ts";
import { networkOf } from "../../infra/local/network.ts";
import type { UpOutput } from "../../test/machine/support.ts";
import { runScript, type Target } from "./target.ts";

/** A client with an address of its own on the stack's network, which is banned. */
const HOST = 200;
/** Between two attempts, milliseconds. An attempt gives up after as long as a TCP connection needs for its second SYN. */
const EVERY = 50;
const GIVE_UP = 1_500;

export interface BannedCounts {
  attempts: number;
  letIn: number;
}

/** Bans an address, and tries to connect from it until `stop`. The ban and the address end with the stack. */
export async function startBanned(target: Target, { deployed }: UpOutput) {
  const { bridge, net4 } = networkOf(deployed.networkIndex);
  const address = `${net4}.${HOST}`;
  await run("ip", ["addr", "replace", `${address}/24`, "dev", bridge]);
  await runScript(target, "server", `mcp-edge-bans add ${address} >/dev/null`);
  const counts: BannedCounts = { attempts: 0, letIn: 0 };
  const attempt = () => {
    counts.attempts++;
    const socket = connect({ host: target.ipv4, port: 443, localAddress: address });
    const timer = setTimeout(() => socket.destroy(), GIVE_UP);
    socket.once("connect", () => {
      counts.letIn++;
      socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.once("close", () => clearTimeout(timer));
  };
  const timer = setInterval(attempt, EVERY);
  return {
    stop(): BannedCounts {
      clearInterval(timer);
      return counts;
    },
  };
}
