import { AsyncLocalStorage } from "node:async_hooks";
import { ANONYMOUS, type Principal } from "../auth/principal.ts";

/** The caller of the server's own work: following repositories, and checking for changes that clients have subscribed to. */
export const SERVER = "";

/** The request that work is done for. */
export interface CallOrigin {
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceId: string;
  /** The client program, as it calls itself. */
  readonly userAgent?: string | undefined;
}

const context = new AsyncLocalStorage<{ readonly id: string; readonly origin?: CallOrigin | undefined }>();

/** Runs work on behalf of a caller. Everything that the work starts counts against this caller's share. */
export function asCaller<T>(id: string, work: () => T): T {
  return context.run({ id }, work);
}

/**
 * As `asCaller`, for the rest of a request: what runs later in the same callback of the event loop, and what that starts. To restore the former
 * context, as `asCaller` does, takes as long as to set this one.
 */
export function enterCaller(origin: CallOrigin): void {
  context.enterWith({ id: origin.principal.id, origin });
}

/** Runs work whose result many callers share, such as the file list of a repository. It counts against nobody's share. */
export function asServer<T>(work: () => T): T {
  return context.run({ id: SERVER }, work);
}

/** The id of the principal that the current work is for, or SERVER. */
export function currentCaller(): string {
  return context.getStore()?.id ?? SERVER;
}

/** The request that the current work is for. Undefined for the server's own work. */
export function currentOrigin(): CallOrigin | undefined {
  return context.getStore()?.origin;
}

/** Whether limits per caller apply. Not to the anonymous caller of `AUTH_MODE=none`, which stands for everybody, nor to the server. */
export function hasOwnLimits(caller: string): boolean {
  return caller !== ANONYMOUS.id && caller !== SERVER;
}
