import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Semantic } from "../../../server/index/semantic/semantic.ts";
import { searchSemantic } from "../../../server/tools/search-semantic.ts";
import { eventually, rpc, startApp } from "../support.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await makeCodeFixture({
    ".gitignore": "secret.env\n",
    "src/store.ts": "export class Store {\n  // evict what nobody asks for\n  drop(login: string) {}\n}\n",
    "src/canvas.ts": "export function paint(shape: unknown) {\n  return shape;\n}\n",
    "docs/delete.md": "How to delete a thing.\n",
  });
});
afterEach(() => fixture.remove());

interface Result {
  path: string;
  by: string;
}
const ask = async (args: Record<string, unknown>) =>
  (await fixture.call(searchSemantic, args)).results as Result[];
const edit = async (path: string, text: string) => {
  await writeFile(join(fixture.path, "code", path), text);
  await fixture.index.refresh();
  await fixture.semantic.refresh();
};
const inputs = () => fixture.service.requests.flatMap((a) => a.input).filter((text) => text !== "ready?");

describe("search_semantic", () => {
  test("finds code by meaning without any common word, and merges matches of words", async () => {
    const [first] = await ask({ query: "throw away a signed session" });
    expect(first).toMatchObject({ path: "src/store.ts", by: "meaning" });
    expect((await ask({ query: "render" }))[0]).toMatchObject({ path: "src/canvas.ts", by: "meaning" });
    expect((await ask({ query: "delete" }))[0]).toMatchObject({
      path: "docs/delete.md",
      by: "both",
      start_line: 1,
      end_line: 1,
    });
    expect((await ask({ query: "delete", path: "src" }))[0]?.path).toBe("src/store.ts");
    expect(await fixture.call(searchSemantic, { query: "delete", max_results: 1 })).toMatchObject({
      missing: 0,
      truncated: true,
      next_offset: 1,
      index: { state: "current" },
    });
  });

  test("embeds only new code, and removes the vectors of deleted code", async () => {
    expect(inputs()).toHaveLength(4);
    expect(
      fixture.service.requests.every((a) => a.authorization === "Bearer k3y" && a.model === "test"),
    ).toBe(true);
    await edit("src/canvas.ts", "export function remove() {}\n");
    expect(inputs()).toHaveLength(5);
    expect(inputs()[4]).toBe("src/canvas.ts\nexport function remove() {}");
    expect(
      (await ask({ query: "paint" })).filter((r) => r.by !== "words" && r.path === "src/canvas.ts"),
    ).toHaveLength(1);
    await fixture.semantic.refresh();
    expect(inputs().slice(5)).toEqual(["paint"]);
    expect(inputs().join()).not.toContain("PASSWORD");
  });

  test("is unavailable while the service is away, with a reason that does not show the key", async () => {
    fixture.service.fail = 401;
    await fixture.semantic.refresh();
    const found = () => fixture.capabilities.snapshot().capabilities.find((c) => c.name === "embeddings");
    expect(found()).toMatchObject({
      available: false,
      why: expect.stringMatching(/responded with status 401; check EMBEDDINGS_MODEL/),
    });
    expect(JSON.stringify(found())).not.toContain("k3y");
    await expect(ask({ query: "x" })).rejects.toThrow("Use search_text meanwhile");
    fixture.service.fail = undefined;
    await fixture.semantic.refresh();
    expect(found()?.available).toBe(true);
  });

  test("replaces vectors of another length or model", async () => {
    fixture.service.padding = 3;
    await edit("src/canvas.ts", "export function draw() {}\n");
    await fixture.semantic.refresh();
    expect((await ask({ query: "paint" }))[0]).toMatchObject({ path: "src/canvas.ts", by: "meaning" });
    const { workspace, capabilities, path } = fixture;
    const service = { url: fixture.service.url, model: "other", key: undefined };
    const quiet = { info: () => undefined, warn: () => undefined };
    const dir = join(path, "..", "index");
    const other = new Semantic({ dir, workspace, capabilities, service, pollSeconds: 3_600, log: quiet });
    const before = inputs().length;
    await other.refresh();
    await other.close();
    expect(inputs().length - before).toBe(4);
    expect(fixture.service.requests.at(-1)).toMatchObject({ model: "other", authorization: undefined });
  });
});

test("search_semantic is listed only with EMBEDDINGS_URL, once the service answers", async () => {
  const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
  const folder = join(fixture.path, "..");
  const env = { WORKSPACE_DIR: fixture.path, INDEX_DIR: join(folder, "index-of-app") };
  {
    await using bare = await startApp(env);
    await bare.app.start();
    await eventually(() => bare.app.capabilities.has("index"), "the index");
    expect(await (await rpc(bare.origin, LIST)).text()).not.toContain("search_semantic");
    const { capabilities } = bare.app.capabilities.snapshot();
    expect(capabilities).toContainEqual({
      name: "embeddings",
      available: false,
      why: "EMBEDDINGS_URL is not set",
    });
  }
  await using running = await startApp({
    ...env,
    EMBEDDINGS_URL: fixture.service.url.href,
    EMBEDDINGS_KEY: "k3y",
  });
  await running.app.start();
  await eventually(() => running.app.capabilities.has("embeddings"), "the service's answer");
  await eventually(() => running.app.capabilities.has("index"), "the index");
  expect(await (await rpc(running.origin, LIST)).text()).toContain("search_semantic");
  expect(JSON.stringify(running.logs)).not.toContain("k3y");
});
