/** Where an event came from, as far as it is known. Addresses are the client's own, not the edge's. */
export interface EventOrigin {
  readonly address?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
  readonly traceId?: string;
}

/** Finds out where a request came from: a function, because only a request that is refused needs it. */
export type OriginSource = () => EventOrigin;
