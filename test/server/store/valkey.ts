import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { eventuallyAsync, temporaryFolder } from "../support.ts";
import { debianProgram } from "./debian-program.ts";

/** Servers that speak the protocol, from Debian: Valkey, which is deployed, and Redis. */
export const SERVERS = [
  { title: "Valkey of Debian 13", suite: "trixie", program: "valkey-server" },
  { title: "Redis 7 of Debian 12", suite: "bookworm", program: "redis-server" },
] as const;

/** A real server of our own, on a unix socket in a temporary folder. */
export class ValkeyServer implements AsyncDisposable {
  readonly socket: string;
  readonly #folder: { path: string; remove(): Promise<void> };
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(folder: { path: string; remove(): Promise<void> }, command: readonly string[]) {
    this.#folder = folder;
    this.#command = command;
    this.socket = join(folder.path, "valkey.sock");
  }

  static async start({ suite, program }: { suite: string; program: string }): Promise<ValkeyServer> {
    const server = new ValkeyServer(await temporaryFolder(), await debianProgram(suite, program));
    await server.run();
    return server;
  }

  get url(): string {
    return `unix://${this.socket}`;
  }

  /** Starts it with the data that it wrote before. */
  async run(): Promise<void> {
    const [loader = "", ...args] = this.#command;
    const settings = ["--port", "0", "--unixsocket", this.socket, "--dir", this.#folder.path];
    const log = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--loglevel", "warning"];
    this.#child = spawn(loader, [...args, ...settings, ...log], { stdio: "ignore" });
    const child = this.#child;
    await eventuallyAsync(async () => child.exitCode !== null || answers(this.socket), `${loader} to start`);
    if (child.exitCode !== null) throw new Error(`${loader} does not start`);
  }

  /** kill -9 */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    await rm(this.socket, { force: true });
  }

  /** Suspends it without ending it. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#folder.remove();
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("error", () => resolve(false));
    connection.once("close", () => resolve(false));
    connection.once("data", (data) => {
      connection.destroy();
      resolve(data.toString().startsWith("+PONG"));
    });
    connection.once("connect", () => connection.write("PING\r\n"));
  });
}
