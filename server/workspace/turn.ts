import { nextTick } from "node:process";
import { setImmediate } from "node:timers";

let turn = 0;
let scheduled = false;

/** A number that is the same until the running callback and its promises are done. Nothing outside of the server is noticed before that. */
export function currentTurn(): number {
  if (!scheduled) {
    scheduled = true;
    nextTick(() => {
      turn++;
      scheduled = false;
    });
  }
  return turn;
}

/** Waits until the event loop has handled the input that is already there. Work that several requests need is done once after it. */
export function afterInput(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
