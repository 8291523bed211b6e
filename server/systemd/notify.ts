import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * sd_notify(3) through the `systemd-notify` command: Node has no datagram unix sockets. The message comes from a child, so the
 * unit needs `NotifyAccess=all`. Without NOTIFY_SOCKET (not started by systemd) it does nothing.
 */
export class Notifier {
  readonly #socket: string | undefined;
  readonly #path: string | undefined;

  constructor(env: NodeJS.ProcessEnv) {
    this.#socket = env.NOTIFY_SOCKET || undefined;
    this.#path = env.PATH;
  }

  /**
   * @param states assignments such as `READY=1`
   * @throws when systemd-notify is missing or refused: systemd would kill the service for its silence later on
   */
  async send(...states: string[]): Promise<void> {
    if (!this.#socket) return;
    await run("systemd-notify", states, {
      env: { NOTIFY_SOCKET: this.#socket, ...(this.#path ? { PATH: this.#path } : {}) },
      timeout: 10_000,
    });
  }
}

/**
 * How often the watchdog must be fed: half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises.
 *
 * @returns milliseconds, or undefined when no watchdog watches this process
 */
export function watchdogInterval(env: NodeJS.ProcessEnv, pid: number): number | undefined {
  const usec = Number(env.WATCHDOG_USEC);
  const others =
    env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== "" && env.WATCHDOG_PID !== String(pid);
  return Number.isFinite(usec) && usec > 0 && !others ? Math.max(1, Math.floor(usec / 2_000)) : undefined;
}
