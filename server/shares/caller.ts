import { AsyncLocalStorage } from "node:async_hooks";
import { ANONYMOUS, type Principal } from "../auth/principal.ts";

/** The caller of what the server does on its own: it follows the repositories, and looks for changes that clients wait for. */
export const SERVER = "";

/** The request that work is done for. */
export interface CallOrigin {
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceId: string;
}

const context = new AsyncLocalStorage<{ readonly id: string; readonly origin?: CallOrigin | undefined }>();

/** Runs work on behalf of a caller: all that it starts is counted as his, wherever it waits for a place. */
export function asCaller<T>(id: string, work: () => T, origin?: CallOrigin): T {
  return context.run({ id, origin }, work);
}

/** Runs work that many callers share the result of, such as the listing of a repository: none of them pays for it alone. */
export function asServer<T>(work: () => T): T {
  return context.run({ id: SERVER }, work);
}

/** The id of the principal that the present work is for, or SERVER. */
export function currentCaller(): string {
  return context.getStore()?.id ?? SERVER;
}

/** The request that the present work is for; undefined for what the server does on its own. */
export function currentOrigin(): CallOrigin | undefined {
  return context.getStore()?.origin;
}

/** The anonymous caller of `AUTH_MODE=none` is everybody, and so has no limits of his own. */
export function hasOwnLimits(caller: string): boolean {
  return caller !== ANONYMOUS.id && caller !== SERVER;
}
