import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PATH } from "../config/path.ts";

const run = promisify(execFile);

/**
 * sd_notify(3) through the `systemd-notify` command: Node has no datagram unix sockets. The message comes from a child, so the
 * unit needs `NotifyAccess=all`. Without a socket it does nothing.
 */
export class Notifier {
  readonly #socket: string | undefined;
  readonly #path: string;

  /** @param socket NOTIFY_SOCKET; undefined if systemd did not start this process */
  constructor(socket: string | undefined, path: string = PATH) {
    this.#socket = socket;
    this.#path = path;
  }

  /**
   * @param states assignments such as `READY=1`
   * @throws when systemd-notify is missing or refused: systemd would kill the service for its silence later on
   */
  async send(...states: string[]): Promise<void> {
    if (!this.#socket) return;
    await run("systemd-notify", states, {
      env: { NOTIFY_SOCKET: this.#socket, PATH: this.#path },
      timeout: 10_000,
    });
  }
}
