import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from "node:net";

/**
 * A network between a server and its store that can be cut. A cut silently drops what is sent, as a lost route does. Connections
 * from before the cut stay dead after it, as behind an address translation that forgot them.
 */
export class CutProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  private constructor(target: string) {
    this.#server = createServer((near) => {
      this.#sockets.add(near);
      near.on("error", () => near.destroy()).on("close", () => this.#sockets.delete(near));
      if (this.#cut) return;
      const far = dial(target);
      this.#sockets.add(far);
      far.on("error", () => near.destroy()).on("close", () => this.#sockets.delete(far));
      near.pipe(far).pipe(near);
    });
  }

  /** @param target path of the store's socket */
  static async start(target: string): Promise<CutProxy> {
    const proxy = new CutProxy(target);
    await new Promise<void>((done) => proxy.#server.listen(0, "127.0.0.1", done));
    return proxy;
  }

  get url(): string {
    return `valkey://127.0.0.1:${(this.#server.address() as AddressInfo).port}/0`;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  heal(): void {
    this.#cut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}
