import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** Words that mean the same to this service: one dimension of its vectors each. */
const MEANINGS = [
  ["session", "login", "signed"],
  ["delete", "remove", "evict", "throw away"],
  ["draw", "paint", "render"],
  ["needle", "pin"],
];

export interface FakeService {
  url: URL;
  /** The requests that it received. */
  requests: { authorization: string | undefined; model: string; input: string[] }[];
  /** Answers with this status instead, while it is set. */
  fail: number | undefined;
  /** More numbers in each vector. */
  padding: number;
  close(): Promise<void>;
}

/** A server that speaks OpenAI's embeddings API and knows a dozen words. */
export async function startEmbeddingService(): Promise<FakeService> {
  const server = createServer(async (request, response) => {
    const { model, input } = JSON.parse((await buffer(request)).toString());
    service.requests.push({ authorization: request.headers.authorization, model, input });
    if (service.fail !== undefined || request.url !== "/v1/embeddings")
      return response.writeHead(service.fail ?? 404).end("no");
    const data = (input as string[]).map((text, index) => ({
      index,
      object: "embedding",
      embedding: vectorOf(text),
    }));
    response.writeHead(200, { "content-type": "application/json" });
    // In reverse order, since clients must use the index.
    return response.end(JSON.stringify({ object: "list", data: data.reverse(), model }));
  });
  const vectorOf = (text: string) => [
    0.01,
    ...MEANINGS.map((words) => words.filter((word) => text.toLowerCase().includes(word)).length),
    ...Array.from({ length: service.padding }, () => 0),
  ];
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const service: FakeService = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`),
    requests: [],
    fail: undefined,
    padding: 0,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return service;
}
