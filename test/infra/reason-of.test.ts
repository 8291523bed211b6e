import { expect, test } from "@jest/globals";
import { reasonOf } from "../../infra/reason-of.ts";

const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });

test.each([
  ["its message", new Error("no room"), "no room"],
  ["the cause of a fetch", new TypeError("fetch failed", { cause: refused }), refused.message],
  ["the first of several addresses", new AggregateError([refused, refused]), refused.message],
  ["both", new TypeError("fetch failed", { cause: new AggregateError([refused]) }), refused.message],
  ["the code of an error without a message", Object.assign(new Error(), { code: "ENOENT" }), "ENOENT"],
])("the reason is %s", (_, error, reason) => expect(reasonOf(error)).toBe(reason));
