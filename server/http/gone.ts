import type { FastifyReply } from "fastify";

/** A signal that is aborted when the client disconnects before the response is complete. If it already has, the signal is aborted now. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const onClose = () => {
    if (!raw.writableFinished) gone.abort();
  };
  if (raw.destroyed) onClose();
  else raw.once("close", onClose);
  return gone.signal;
}
