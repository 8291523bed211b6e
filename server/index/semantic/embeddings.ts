import * as z from "zod";

/** An OpenAI-compatible embedding service. */
export interface EmbeddingService {
  /** Base URL of the API, such as `http://127.0.0.1:11434/v1`, or the URL of its `/embeddings`. */
  readonly url: URL;
  readonly model: string;
  /** Sent as a bearer token; never logged. */
  readonly key: string | undefined;
}

/** Time limit of a request, milliseconds. */
const TIME_LIMIT_MS = 60_000;

const EmbeddingsResponse = z.object({
  data: z.array(z.object({ index: z.int().optional(), embedding: z.array(z.number()).min(1) })),
});

/**
 * Requests the embeddings of texts, in their order, all of the same length.
 *
 * @throws Error that names the service and the failure, never the key
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
    throw failed(
      `responded with status ${response.status}; check EMBEDDINGS_MODEL=${model} and EMBEDDINGS_KEY`,
    );
  }
  const parsed = EmbeddingsResponse.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) throw failed("did not respond in the format of the OpenAI API");
  const sorted = parsed.data.data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map((d) => d.embedding);
  if (sorted.length !== texts.length || sorted.some((v) => v.length !== sorted[0]?.length))
    throw failed(
      `returned ${sorted.length} vectors for ${texts.length} texts, or vectors of different lengths`,
    );
  return sorted;
}
