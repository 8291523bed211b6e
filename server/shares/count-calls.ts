import type { CallObserver } from "../tools/observed-tool.ts";
import { currentCaller } from "./caller.ts";
import type { Counted } from "./counted.ts";

/** Refuses a call of a caller with too many in progress, over all endpoints. */
export function countCalls(calls: Counted): CallObserver {
  return () => calls.open(currentCaller());
}
