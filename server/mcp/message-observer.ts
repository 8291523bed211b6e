import type { McpRequest } from "./exchange.ts";

/** Observes what clients send and what they are answered. Without one, nothing of it is collected. */
export interface MessageObserver {
  /** Handles the messages of a request by `work`. The answer passes through `request.http.onAnswer`. */
  observe(request: McpRequest, work: () => Promise<void>): Promise<void>;
  /** A session of the 2025 revisions was deleted by its client, or has left memory. */
  sessionEnded(seconds: number): void;
}
