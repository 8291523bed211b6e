import { expect, test } from "@jest/globals";
import {
  dispatchMessage,
  encodeMessage,
  type MessageHandlers,
} from "../../../server/mcp/instance-messages.ts";

const STREAM = { session: "s", stream: "t", from: "i" };

/** Two releases exchange messages during a switch: these texts must not change. */
test.each([
  ["wakeup", STREAM, '{"t":"woke","session":"s","stream":"t","from":"i"}'],
  ["request", STREAM, '{"t":"want","session":"s","stream":"t","from":"i"}'],
  ["answer", { session: "s", message: { id: "i.0" } }, '{"t":"answer","session":"s","message":{"id":"i.0"}}'],
  ["cancelled", { session: "s", message: {} }, '{"t":"cancelled","session":"s","message":{}}'],
  ["state", { session: "s" }, '{"t":"facts","session":"s"}'],
  ["closed", { session: "s" }, '{"t":"gone","session":"s"}'],
  ["claim", { session: "s", claim: 2 }, '{"t":"taken","session":"s","claim":2}'],
  ["hello", { from: "i" }, '{"t":"hello","from":"i"}'],
] as const)("%s keeps its form on the wire", (type, message, text) => {
  expect(encodeMessage(type, message as never)).toBe(text);
  const received: unknown[] = [];
  const handlers = { [type]: (value: unknown) => received.push(value) } as unknown as MessageHandlers;
  dispatchMessage(text, handlers);
  dispatchMessage('{"t":"unknown to this release"}', handlers);
  expect(received).toEqual([message]);
});
