import type { FastifyReply } from "fastify";

/** A signal that is aborted when the client leaves before it has its answer; at once, when it left before this was asked. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const onClose = () => {
    if (!raw.writableFinished) gone.abort();
  };
  if (raw.destroyed) onClose();
  else raw.once("close", onClose);
  return gone.signal;
}
