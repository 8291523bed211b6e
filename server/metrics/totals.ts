import type { ToolOutcome } from "../tools/observed-tool.ts";
import { type Buckets, inBucket, noTimes } from "./buckets.ts";
import type { RequestSample } from "./request-sample.ts";

/** What happened since the start of this process. */
export interface Totals {
  readonly requests: number;
  /** Requests that ended with a status of 500 or above. */
  readonly errors: number;
  /** Requests that a limit refused. */
  readonly refused: number;
  /** Requests that came over HTTP/3. */
  readonly http3: number;
  readonly toolCalls: number;
  /** Tool calls that failed; not those that the tool refused, which the caller can fix. */
  readonly toolErrors: number;
  /** Times until a response was complete, and until it began. Without long-lived streams. */
  readonly duration: Buckets;
  readonly firstByte: Buckets;
}

/** Sums of what Metrics counts by label, for `/status`. */
export class TotalsCounter {
  #counts = { requests: 0, errors: 0, refused: 0, http3: 0, toolCalls: 0, toolErrors: 0 };
  readonly #duration = noTimes();
  readonly #firstByte = noTimes();

  request({ status, http, seconds, firstByteSeconds, longLived }: RequestSample): void {
    this.#counts.requests++;
    if (status >= 500) this.#counts.errors++;
    if (http === "HTTP/3.0") this.#counts.http3++;
    if (longLived) return;
    inBucket(this.#duration, seconds);
    if (firstByteSeconds !== undefined) inBucket(this.#firstByte, firstByteSeconds);
  }

  refused(): void {
    this.#counts.refused++;
  }

  toolCall(outcome: ToolOutcome): void {
    this.#counts.toolCalls++;
    if (outcome === "failed") this.#counts.toolErrors++;
  }

  read(): Totals {
    return { ...this.#counts, duration: [...this.#duration], firstByte: [...this.#firstByte] };
  }
}
