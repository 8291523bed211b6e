import { expect, test } from "@jest/globals";
import type { OAuthStore } from "../../../server/auth/oauth/store.ts";
import { StoredPeople } from "../../../server/people/stored-people.ts";
import { totpStep } from "../../../server/people/totp.ts";
import type { Clock } from "../auth/oauth/each-store.ts";
import { codeOf, ENROLLED, enrolled, LONG_PASSWORD, ORIGIN } from "./support.ts";

/** What the people of every store do. Two instances share it. */
export function contract(stores: () => readonly [OAuthStore, OAuthStore], clock: Clock): void {
  const here = () => new StoredPeople(stores()[0], ORIGIN, clock.now);
  const there = () => new StoredPeople(stores()[1], ORIGIN, clock.now);

  test("a login is one person's, in any letters and on every machine", async () => {
    const added = await here().directory.add({ ...ENROLLED, login: "grace" });
    await expect(there().directory.add({ ...ENROLLED, login: "grace" })).rejects.toThrow("user reset grace");
    expect(await there().findByLogin(" Grace ")).toEqual(added);
    expect((await there().directory.list()).map(({ login }) => login)).toContain("grace");
    await there().directory.remove(added);
    expect(await here().find(added.id)).toBeUndefined();
    const again = await here().directory.add({ ...ENROLLED, login: "grace" });
    expect(again.id).not.toBe(added.id);
  });

  test("a link works once, for its purpose, until it expires", async () => {
    const token = async () => (await here().links.make("p_1", "enrol")).path.slice("/enrol?link=".length);
    const first = await token();
    expect(await there().links.check(first, "sign-in")).toBeUndefined();
    expect(await there().links.check(first, "enrol")).toMatchObject({ person: "p_1" });
    const used = await Promise.all([here().links.use(first, "enrol"), there().links.use(first, "enrol")]);
    expect(used.filter(Boolean)).toEqual(["p_1"]);
    const second = await token();
    clock.ms += 24 * 3_600_000 + 1;
    expect(await here().links.use(second, "enrol")).toBeUndefined();
  });

  test("a password alone, a code alone and a used code are refused", async () => {
    const { secret, attempt } = await enrolled(here(), "hedy");
    const code = codeOf(secret, clock.now());
    expect(await here().signIn({ ...attempt, code: "" })).toBeUndefined();
    expect(await here().signIn({ ...attempt, code, password: "not the password" })).toBeUndefined();
    const both = await Promise.all([
      here().signIn({ ...attempt, code }),
      there().signIn({ ...attempt, code }),
    ]);
    expect(both.filter(Boolean)).toMatchObject([{ person: { login: "hedy" }, how: "password" }]);
    expect(totpStep(secret, codeOf(secret, clock.now() - 90_000), clock.now())).toBeUndefined();
  });

  test("a recovery code works once, as people type it", async () => {
    const { attempt, recoveryCodes } = await enrolled(here(), "joan");
    const code = ` ${recoveryCodes[3]?.toUpperCase().replaceAll("-", " ")}`;
    expect(await there().signIn({ ...attempt, code })).toMatchObject({ how: "recovery-code" });
    expect(await here().signIn({ ...attempt, code })).toBeUndefined();
    expect(recoveryCodes).toHaveLength(10);
  });

  test("guesses are delayed longer and longer, where they come from; the person elsewhere gets in", async () => {
    const { secret, attempt } = await enrolled(here(), "ida");
    const guess = () => there().signIn({ ...attempt, source: "203.0.113.7", password: "guess", code: "1" });
    for (let n = 0; n < 5; n++) expect(await guess()).toBeUndefined();
    await expect(guess()).rejects.toThrow("Wait 2 seconds");
    clock.ms += 2_001;
    expect(await guess()).toBeUndefined();
    await expect(guess()).rejects.toThrow("Wait 4 seconds");
    expect(await here().signIn({ ...attempt, code: codeOf(secret, clock.now()) })).toBeDefined();
  });

  test("attempts at the same moment are no more than attempts one after the other", async () => {
    const { attempt } = await enrolled(here(), "mary");
    const guesses = Array.from({ length: 12 }, (_, n) =>
      (n % 2 ? here() : there()).signIn({ ...attempt, password: `guess ${n}`, code: "1" }),
    );
    const settled = await Promise.allSettled(guesses);
    expect(settled.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(5);
  });

  test("removed people's credentials go with them", async () => {
    const { secret, attempt, person } = await enrolled(here(), "rosa");
    await here().directory.removeCredentials(person.id);
    const code = codeOf(secret, clock.now());
    expect(await there().signIn({ ...attempt, password: LONG_PASSWORD, code })).toBeUndefined();
  });
}
