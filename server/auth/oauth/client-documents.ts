import { type AuthEvents, eventText } from "../events.ts";
import { normalizeClientMetadata, redirectProblem } from "./client-metadata.ts";
import { pinnedDocument } from "./pinned-clients.ts";
import type { OAuthStore } from "./store.ts";

const MODEL = "ClientDocument";
/** Bounds of a document's freshness, milliseconds, whatever its `Cache-Control` says. */
const FRESH_MS = { min: 300_000, max: 86_400_000 } as const;
/** How long a stored document stands in for one that cannot be fetched, counted from its last fetch, milliseconds. */
const STALE_MS = 30 * 86_400_000;
/** From this number of documents on, further ones are kept for a shorter time: documents of strangers must not fill the disk. */
export const CROWDED_DOCUMENTS = { documents: 1_000, staleMs: 3_600_000 } as const;
/** Time between a failed fetch and the next one of the same URL, milliseconds. */
const FAILED_MS = 60_000;
/** As draft-ietf-oauth-client-id-metadata-document-02, section 6.6, recommends; and for a client's keys, bytes. */
const DOCUMENT_BYTES = 5 * 1_024;
const JWKS_BYTES = 64 * 1_024;

/** GETs a URL that a stranger chose; see safeFetch. */
export type DocumentFetch = (url: string, limits: { readonly maxBytes: number }) => Promise<Response>;

export interface ClientDocumentsOptions {
  readonly store: OAuthStore;
  readonly events: AuthEvents;
  readonly fetch: DocumentFetch;
  readonly now: () => number;
}

/**
 * Client metadata documents (CIMD) and clients' key sets, as oidc-provider fetches them: documents are normalised, kept in the store for all
 * instances and restarts, and where a URL fails the kept copy, or a pinned one, stands in.
 */
export class ClientDocuments {
  readonly #options: ClientDocumentsOptions;
  /** When URLs failed last. */
  readonly #failed = new Map<string, number>();

  constructor(options: ClientDocumentsOptions) {
    this.#options = options;
  }

  /**
   * oidc-provider's `fetch`. A client's document is what it fetches with `redirect: "manual"`; the rest are key sets.
   *
   * @throws when there is no usable copy
   */
  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    if (init.redirect !== "manual") return this.#options.fetch(url, { maxBytes: JWKS_BYTES });
    const { document, maxAgeMs } = await this.#document(url);
    const headers = {
      "content-type": "application/json",
      "cache-control": `max-age=${Math.floor(maxAgeMs / 1_000)}`,
    };
    return new Response(JSON.stringify(document), { headers });
  }

  async #document(id: string): Promise<{ document: Record<string, unknown>; maxAgeMs: number }> {
    const { store, events, now } = this.#options;
    const kept = await store.get(MODEL, id);
    const freshUntil = Number(kept?.payload.freshUntil ?? 0);
    const copy = kept?.payload.document as Record<string, unknown> | undefined;
    if (copy && freshUntil > now()) return { document: copy, maxAgeMs: freshUntil - now() };
    try {
      const fetched = await this.#fetchDocument(id);
      events.emit({ type: "client.document", client: id, from: "network" });
      return fetched;
    } catch (error) {
      const problem = eventText((error as Error).message);
      const pinned = pinnedDocument(id);
      const document = copy ?? (pinned && normalizeClientMetadata(pinned));
      if (!document) {
        events.emit({ type: "client.document-refused", client: id, reason: problem });
        throw error;
      }
      events.emit({ type: "client.document", client: id, from: copy ? "stored" : "pinned", problem });
      return { document, maxAgeMs: FAILED_MS };
    }
  }

  async #fetchDocument(id: string): Promise<{ document: Record<string, unknown>; maxAgeMs: number }> {
    const { store, fetch, now } = this.#options;
    const failedAt = this.#failed.get(id);
    if (failedAt !== undefined && now() - failedAt < FAILED_MS)
      throw new Error("the document could not be fetched a moment ago");
    try {
      const response = await fetch(id, { maxBytes: DOCUMENT_BYTES });
      if (response.status !== 200) throw new Error(`the document's URL answered ${response.status}`);
      const given: unknown = await response.json().catch(() => {
        throw new Error("the document is not JSON");
      });
      const document = checked(given, id);
      const maxAgeMs = freshness(response.headers.get("cache-control"));
      const payload = { document, freshUntil: now() + maxAgeMs };
      const { documents, staleMs } = CROWDED_DOCUMENTS;
      const keptMs = (await store.count(MODEL)) < documents ? STALE_MS : staleMs;
      await store.put({ model: MODEL, id, payload, expiresAt: now() + keptMs });
      this.#failed.delete(id);
      return { document, maxAgeMs };
    } catch (error) {
      if (this.#failed.size > 1_000) this.#failed.clear();
      this.#failed.set(id, now());
      throw error;
    }
  }
}

/** What oidc-provider would refuse stays as it is, but for `client_id`: a document for somebody else must not be kept. */
function checked(given: unknown, id: string): Record<string, unknown> {
  const raw = (typeof given === "object" && given !== null ? given : {}) as Record<string, unknown>;
  if (raw.client_id !== id) throw new Error("the document is for another client_id");
  if ("client_secret" in raw) throw new Error("the document has a client_secret");
  const document = normalizeClientMetadata(raw);
  const problem = redirectProblem(document);
  if (problem !== undefined) throw new Error(problem);
  return document;
}

function freshness(cacheControl: string | null): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl ?? "")) return FRESH_MS.min;
  const seconds = Number(/\bmax-age=(\d{1,9})\b/i.exec(cacheControl ?? "")?.[1] ?? 0);
  return Math.min(Math.max(seconds * 1_000, FRESH_MS.min), FRESH_MS.max);
}
