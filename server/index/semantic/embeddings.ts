import * as z from "zod";

/** An OpenAI-compatible embedding service. */
export interface EmbeddingService {
  /** The API's address, such as `http://127.0.0.1:11434/v1`, or that of its `/embeddings` itself. */
  readonly url: URL;
  readonly model: string;
  /** Sent as a bearer token; never logged. */
  readonly key: string | undefined;
}

/** Longest that one request may take, milliseconds. */
const TIME_LIMIT_MS = 60_000;

const Answer = z.object({
  data: z.array(z.object({ index: z.int().optional(), embedding: z.array(z.number()).min(1) })),
});

/**
 * Texts as vectors, in their order, all of one length.
 *
 * @throws Error that names the service and what it said, never the key
 */
export async function embed(
  service: EmbeddingService,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<number[][]> {
  const { url, model, key } = service;
  const path = url.pathname.replace(/\/+$/, "");
  const address = new URL(path.endsWith("/embeddings") ? path : `${path}/embeddings`, url);
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  const failed = (why: string) =>
    new Error(`the embedding service ${address.origin}${address.pathname} ${why}`);
  let response: Response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ model, input: texts, encoding_format: "float" }),
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    signal?.throwIfAborted();
    const { message, cause } = error as Error & { cause?: Error };
    throw failed(`cannot be reached: ${cause?.message ?? message}`);
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw failed(`answered ${response.status}; check EMBEDDINGS_MODEL=${model} and EMBEDDINGS_KEY`);
  }
  const parsed = Answer.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) throw failed("did not answer as OpenAI's API does");
  const sorted = parsed.data.data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map((d) => d.embedding);
  if (sorted.length !== texts.length || sorted.some((v) => v.length !== sorted[0]?.length))
    throw failed(`answered ${sorted.length} vectors for ${texts.length} texts, or of several lengths`);
  return sorted;
}
