import { ask, mcpHeaders, type UpOutput } from "../../test/machine/support.ts";
import { type OpenResponse, open, PROTOCOLS, type Protocol } from "./response.ts";
import { pause, type Target } from "./target.ts";

/** Streams of each protocol: half of them of revision 2025-11-25, half of 2026-07-28. */
export const STREAMS = 20;
/** When a stream is opened again, milliseconds after it ended, and after each attempt that failed: what the server's `retry:` says. */
const RETRY = 500;
/** Between two connections, milliseconds: within the firewall's limit of handshakes of one source. */
const STAGGER = 60;

export interface StreamCounts {
  readonly ended: Record<Protocol, number>;
  /** Longest time until a stream was open again, milliseconds; 0 if none ended. */
  readonly backMs: number;
  /** Streams that were not open again at the end of the measurement, with the last reason of each. */
  readonly lost: string[];
}

const LISTEN = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "subscriptions/listen",
  params: {
    notifications: { toolsListChanged: true },
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
});

/** What a client sends to open its stream, and to open it again: `last` is the id of the last event that came. */
type Request = (last: string | undefined) => {
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
};

/** 2026-07-28: the same request again. */
const subscription =
  ({ token }: Target): Request =>
  () => ({
    method: "POST",
    headers: {
      ...mcpHeaders(token),
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "subscriptions/listen",
    },
    body: LISTEN,
  });

/** 2025-11-25: the notification stream of a session, resumed with `Last-Event-ID`. */
async function notifications(target: Target, up: UpOutput): Promise<Request> {
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "bench", version: "1" },
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  const answer = await ask(up, target.url.pathname, {
    method: "POST",
    headers: mcpHeaders(target.token),
    body,
  });
  const session = String(answer.headers["mcp-session-id"] ?? "");
  if (session === "") throw new Error(`no session: ${answer.status} ${answer.body}`);
  const headers = {
    authorization: `Bearer ${target.token}`,
    accept: "text/event-stream",
    "mcp-protocol-version": "2025-11-25",
    "mcp-session-id": session,
  };
  return (last) => ({
    method: "GET",
    headers: { ...headers, ...(last === undefined ? {} : { "last-event-id": last }) },
  });
}

/** A stream of a client that opens it again when it ends. */
class Stream {
  readonly protocol: Protocol;
  readonly #target: Target;
  readonly #request: Request;
  #response: OpenResponse | undefined;
  #last: string | undefined;
  #closed = false;
  ended = 0;
  /** When it ended and was open again the last time, milliseconds since 1970. */
  endedAt = 0;
  backAt = 0;
  /** Why the stream is not open now. */
  problem: string | undefined = "not yet open";

  constructor(target: Target, protocol: Protocol, request: Request) {
    this.#target = target;
    this.protocol = protocol;
    this.#request = request;
  }

  /** @throws Error when the stream does not open */
  async open(): Promise<void> {
    const onText = (text: string) => {
      this.#last = [...text.matchAll(/^id: ?(.+)$/gm)].at(-1)?.[1] ?? this.#last;
    };
    try {
      const response = await open[this.protocol](this.#target, { ...this.#request(this.#last), onText });
      if (response.status !== 200) {
        response.close();
        throw new Error(`status ${response.status}`);
      }
      this.#response = response;
      this.problem = undefined;
      void response.ended.then(() => this.#again());
    } catch (error) {
      this.problem = (error as Error).message;
      throw error;
    }
  }

  async #again(): Promise<void> {
    if (this.#closed) return;
    this.ended++;
    this.problem = "ended";
    this.endedAt = Date.now();
    while (!this.#closed) {
      await pause(RETRY);
      try {
        await this.open();
        this.backAt = Date.now();
        return;
      } catch {
        // The next attempt follows.
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#response?.close();
  }
}

/** Opens all streams. @throws Error when one does not open */
export async function openStreams(target: Target, up: UpOutput) {
  const streams: Stream[] = [];
  const close = () => {
    for (const stream of streams) stream.close();
  };
  try {
    for (let i = 0; i < STREAMS; i++)
      for (const protocol of PROTOCOLS) {
        const request = i % 2 === 0 ? subscription(target) : await notifications(target, up);
        const stream = new Stream(target, protocol, request);
        streams.push(stream);
        await stream.open();
        await pause(STAGGER);
      }
  } catch (error) {
    close();
    throw error;
  }
  return {
    /** @param since when the streams were cut, milliseconds since 1970; otherwise each counts from its own end */
    counts(since?: number): StreamCounts {
      const ended = streams.filter((stream) => stream.ended > 0);
      const endedOf = (protocol: Protocol) => ended.filter((stream) => stream.protocol === protocol).length;
      const backMs = ended.map(({ endedAt, backAt }) => backAt - (since ?? endedAt));
      return {
        ended: Object.fromEntries(PROTOCOLS.map((one) => [one, endedOf(one)])) as Record<Protocol, number>,
        backMs: Math.max(0, ...backMs),
        lost: streams.flatMap(({ protocol, problem }) =>
          problem === undefined ? [] : [`${protocol}: ${problem}`],
        ),
      };
    },
    close,
  };
}
