import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import {
  LIST_LIMIT,
  type OAuthRecord,
  type OAuthStore,
  removeAll,
} from "../../../../server/auth/oauth/store.ts";
import type { Clock } from "./each-store.ts";

const record = (more: Partial<OAuthRecord> = {}): OAuthRecord => ({
  model: "RefreshToken",
  id: randomUUID(),
  payload: { a: 1, text: "ö" },
  ...more,
});

/**
 * What every store must do.
 *
 * @param pair two instances' stores over the same records
 */
export function contract(pair: () => readonly [OAuthStore, OAuthStore], clock: Clock): void {
  test("the other instance reads a record, also by its second id, and each replacement of it", async () => {
    const [one, two] = pair();
    const first = record({
      uid: randomUUID(),
      person: "p1",
      client: "c1",
      grant: "g",
      expiresAt: clock.ms + 60_000,
    });
    await one.put(first);
    expect(await two.get(first.model, first.id)).toEqual(first);
    expect(await two.getByUid(first.model, first.uid ?? "")).toEqual(first);
    expect(await two.get("Session", first.id)).toBeUndefined();
    const { grant: _, ...without } = first;
    await two.put({ ...without, payload: { b: 2 } });
    expect(await one.get(first.model, first.id)).toEqual({ ...without, payload: { b: 2 } });
    await one.remove(first.model, first.id);
    expect(await two.get(first.model, first.id)).toBeUndefined();
  });

  test("a record is not found after its end, and its place is free then", async () => {
    const [one, two] = pair();
    const short = record({ uid: randomUUID(), person: "p2", expiresAt: clock.ms + 1_000 });
    await one.put(short);
    clock.ms += 1_001;
    expect(await two.get(short.model, short.id)).toBeUndefined();
    expect(await two.getByUid(short.model, short.uid ?? "")).toBeUndefined();
    expect(await two.list(short.model, { person: "p2" })).toEqual([]);
    expect(await two.take(short.model, short.id)).toBeUndefined();
    await one.sweep();
    expect(await one.add(record({ id: short.id }))).toBe(true);
  });

  test("only one of many uses is the first, and it stays noted when the record is written again", async () => {
    const [one, two] = pair();
    const token = record();
    await one.put(token);
    const uses = await Promise.all(
      [one, two, one, two].map((store, n) => store.consume(token.model, token.id, 100 + n)),
    );
    expect(uses.filter(Boolean)).toHaveLength(1);
    const consumedAt = 100 + uses.indexOf(true);
    expect(await two.get(token.model, token.id)).toEqual({ ...token, consumedAt });
    await two.put(token);
    expect(await one.get(token.model, token.id)).toEqual({ ...token, consumedAt });
    expect(await one.consume(token.model, randomUUID(), 1)).toBe(false);
  });

  test("only one of many takes a record, and only one adds it", async () => {
    const [one, two] = pair();
    const link = record({ model: "Link" });
    expect(await Promise.all([one.add(link), two.add(link)])).toEqual(expect.arrayContaining([true, false]));
    const taken = await Promise.all([one, two, one].map((store) => store.take(link.model, link.id)));
    expect(taken.filter(Boolean)).toEqual([link]);
  });

  test("records are listed by kind, person and client", async () => {
    const [one, two] = pair();
    const model = `M${randomUUID()}`;
    const records = ["ada", "ada", "bob"].map((person, n) => record({ model, person, client: `c${n}` }));
    for (const one_ of records) await one.put(one_);
    expect(await two.count(model)).toBe(3);
    expect(await two.list(model)).toEqual(expect.arrayContaining(records));
    expect(await two.list(model, { person: "ada" })).toHaveLength(2);
    expect(await two.list(model, { person: "ada", client: "c1" })).toEqual([records[1]]);
    await one.remove(model, records[0]?.id ?? "");
    expect(await two.list(model, { person: "ada" })).toEqual([records[1]]);
    expect(await two.count(model)).toBe(2);
  });

  test("a client's records are found among more than one list holds", async () => {
    const [one, two] = pair();
    const model = `M${randomUUID()}`;
    const others = Array.from({ length: LIST_LIMIT + 1 }, (_, n) =>
      record({ model, id: `a${n}`, client: "c" }),
    );
    await Promise.all(others.map((other) => one.put(other)));
    const rare = record({ model, id: "b", client: "rare" });
    await one.put(rare);
    expect(await two.list(model, { client: "rare" })).toEqual([rare]);
    expect(await two.list(model)).toHaveLength(LIST_LIMIT);
  });

  test("expired records hide no live one of the same person, and all of them can be removed", async () => {
    const [one, two] = pair();
    const model = `M${randomUUID()}`;
    const count = LIST_LIMIT * 0.6;
    const own = Array.from({ length: 2 * count }, (_, n) =>
      record({ model, id: `r${n}`, person: "many", ...(n % 2 ? { expiresAt: clock.ms + 1_000 } : {}) }),
    );
    await Promise.all(own.map((each) => one.put(each)));
    clock.ms += 1_001;
    expect(await two.list(model, { person: "many" })).toHaveLength(count);
    await removeAll(two, model, { person: "many" });
    expect(await one.count(model)).toBe(0);
  });

  test("a grant goes with all that belongs to it, and every instance learns it", async () => {
    const [one, two] = pair();
    const grant = randomUUID();
    const own = [
      record({ model: "Grant", id: grant, expiresAt: clock.ms + 60_000 }),
      record({ grant, expiresAt: clock.ms + 60_000 }),
      record({ model: "AuthorizationCode", grant, expiresAt: clock.ms + 30_000 }),
    ];
    const other = record({ grant: randomUUID(), expiresAt: clock.ms + 60_000 });
    for (const one_ of [...own, other]) await one.put(one_);
    const before = await two.changes();
    await one.revokeGrant(grant, clock.ms + 5_000);
    expect(await two.changes()).toBeGreaterThan(before);
    for (const { model, id } of own) expect(await two.get(model, id)).toBeUndefined();
    expect(await two.get(other.model, other.id)).toEqual(other);
    expect(await two.revoked()).toContain(grant);
    clock.ms += 5_001;
    expect(await two.revoked()).not.toContain(grant);
  });

  test("an access token is revoked alone, until it ends", async () => {
    const [one, two] = pair();
    const [token, until] = [randomUUID(), clock.ms + 5_000];
    const before = await two.changes();
    await one.revokeToken(token, until);
    expect(await two.changes()).toBeGreaterThan(before);
    expect(await two.revoked()).toContain(token);
    clock.ms = until;
    expect(await two.revoked()).not.toContain(token);
  });

  test("a document is written only over what its writer has read", async () => {
    const [one, two] = pair();
    const name = randomUUID();
    expect(await one.readDocument(name)).toBeUndefined();
    const before = await two.changes();
    const first = await Promise.all([
      one.writeDocument(name, undefined, "a"),
      two.writeDocument(name, undefined, "b"),
    ]);
    expect(first.filter(Boolean)).toHaveLength(1);
    const written = first[0] ? "a" : "b";
    expect(await two.readDocument(name)).toBe(written);
    expect(await two.writeDocument(name, "other", "c")).toBe(false);
    expect(await two.writeDocument(name, written, "c")).toBe(true);
    expect(await one.readDocument(name)).toBe("c");
    expect(await one.changes()).toBeGreaterThan(before);
  });
}
