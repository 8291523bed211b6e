import { setTimeout as delay } from "node:timers/promises";
import { HttpClientError } from "../../../http3/errors.ts";
import { type Check, CheckFailure } from "../../check.ts";
import { probeQuic } from "../../clients/quic-probe.ts";
import type { Context } from "../../context.ts";
import { tryAddresses } from "../each-address.ts";

/** Servers need not answer a version negotiation. After this time, in milliseconds, a real handshake is tried as well. */
const PATIENCE_MS = 1_000;

export const udp: Check = {
  id: "udp",
  title: "UDP (QUIC)",
  needs: ["dns"],
  tried: ({ target }) => `a QUIC version negotiation with UDP port ${target.port} of every address`,
  run: (context, signal) =>
    tryAddresses({
      context,
      signal,
      addresses: context.addresses,
      attempt: (address, limited) => answers(context, address, limited),
      onGood(good) {
        context.udp = good;
      },
    }),
  usable: (context) => context.udp.length > 0,
  fix: ({ target }) =>
    `Open UDP ${target.port} (it is a rule of its own beside TCP) in the firewall or security group and see on the ` +
    `machine what listens: ss -lnu 'sport = :${target.port}'`,
};

async function answers(context: Context, address: string, signal: AbortSignal): Promise<string> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const probed = probeQuic(address, context.target.port, either).then(({ v1, ms }) => {
    if (!v1) throw new CheckFailure("answers, but does not speak QUIC version 1");
    return `QUIC v1 answered in ${Math.round(ms)} ms`;
  });
  const { promise: shaken, resolve } = Promise.withResolvers<string>();
  const shake = async (): Promise<void> => {
    await delay(PATIENCE_MS, undefined, { signal: either });
    if (await handshakes(context, address, either)) resolve("QUIC v1 answered a handshake");
  };
  // A failed handshake means no more than an unanswered probe.
  shake().catch(() => undefined);
  return Promise.race([probed, shaken]).finally(() => over.abort());
}

/** Whether a QUIC handshake gets any answer, even a refusal. */
async function handshakes(context: Context, address: string, signal: AbortSignal): Promise<boolean> {
  const client = context.http3To(address);
  try {
    const response = await client.fetch(`${context.target.origin}/`, { method: "HEAD", signal });
    return response.status > 0;
  } catch (error) {
    return (
      error instanceof HttpClientError && !["connect-timeout", "unsupported-platform"].includes(error.code)
    );
  } finally {
    await client.close();
  }
}
