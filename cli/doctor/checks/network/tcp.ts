import { connect } from "node:net";
import { tlsServerCommands } from "../../advice.ts";
import type { Check } from "../../check.ts";
import { tryAddresses } from "../each-address.ts";

export const tcp: Check = {
  id: "tcp",
  title: "TCP",
  needs: ["dns"],
  tried: ({ target }) => `TCP connections to port ${target.port} of every address`,
  run: (context, signal) =>
    tryAddresses({
      context,
      signal,
      addresses: context.addresses,
      attempt: (address, limited) => open(address, context.target.port, limited),
      onGood(good) {
        context.tcp = good;
      },
    }),
  usable: (context) => context.tcp.length > 0,
  fix: ({ target }) =>
    `Open TCP ${target.port} in the firewall or security group, and see whether the machine listens: ${tlsServerCommands(target).status}`,
};

function open(host: string, port: number, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const started = performance.now();
  const socket = connect({ host, port });
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("connect", () => resolve(`connected in ${Math.round(performance.now() - started)} ms`));
  socket.once("error", reject);
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  });
}
