import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A server process of the tests (instance.ts). */
export class Instance {
  readonly origin: string;
  readonly #child: ChildProcess;
  /** What it logged. */
  readonly log: () => string;

  private constructor(origin: string, child: ChildProcess, log: () => string) {
    this.origin = origin;
    this.#child = child;
    this.log = log;
  }

  static async start(colour: string, env: Record<string, string>): Promise<Instance> {
    const settings = {
      COLOUR: colour,
      LOG_LEVEL: "debug",
      DRAIN_SECONDS: "1",
      RATE_LIMIT_ADDRESS: "0",
      ...env,
    };
    const child = spawn(process.execPath, [join(import.meta.dirname, "instance.ts")], {
      env: { PATH: process.env.PATH, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (data) => {
      log += data;
    });
    const exited = once(child, "exit").then(() => {
      throw new Error(`the instance ended at its start: ${log}`);
    });
    const [port] = await Promise.race([once(child.stdout, "data"), exited]);
    exited.catch(() => undefined);
    return new Instance(`http://127.0.0.1:${String(port).trim()}`, child, () => log);
  }

  /** Whether the process has ended. */
  get over(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** @param signal SIGTERM drains, SIGKILL does not */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.over) return;
    const exited = once(this.#child, "exit");
    this.#child.kill(signal);
    await exited;
  }
}

export interface StreamEvent {
  id: string;
  /** The JSON-RPC message; undefined for an event that only has an id. */
  message:
    | {
        id?: unknown;
        method?: string;
        params?: Record<string, unknown>;
        result?: unknown;
        error?: { message: string };
      }
    | undefined;
}

/** Reads the events of a stream one by one. Cutting it is what a broken connection looks like to the server. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  /** @returns undefined at the end of the stream */
  async next(): Promise<StreamEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const fields = this.#text.slice(0, end).split("\n");
        this.#text = this.#text.slice(end + 2);
        const field = (name: string) =>
          fields
            .find((f) => f.startsWith(`${name}:`))
            ?.slice(name.length + 1)
            .trim();
        const data = field("data");
        if (data === undefined) continue;
        return { id: field("id") ?? "", message: data === "" ? undefined : JSON.parse(data) };
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Reads on until one satisfies `enough`, or to the end. */
  async until(enough: (event: StreamEvent) => boolean): Promise<StreamEvent[]> {
    const events: StreamEvent[] = [];
    for (let event = await this.next(); event; event = await this.next()) {
      events.push(event);
      if (enough(event)) break;
    }
    return events;
  }

  async rest(): Promise<StreamEvent[]> {
    return this.until(() => false);
  }

  cut(): Promise<void> {
    return this.#reader.cancel();
  }
}
