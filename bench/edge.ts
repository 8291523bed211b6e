import { readFile } from "node:fs/promises";
import { connect } from "node:http2";
import { request } from "node:https";
import { http3Fetch } from "../cli/http3/http3-fetch.ts";
import { Checkout, inMachine, load, mcpHeaders, type UpOutput } from "../test/machine/support.ts";
import type { Figure } from "./figures.ts";

const STREAMS = { "HTTP/3": 50, "HTTP/2": 50, "HTTP/1.1": 20 } as const;
const CHANGES = 10;
const PER_SECOND = 200;
/** Time for one change, seconds: 11 of them are 10,000 requests. */
const PAUSE = 4.5;

/** A stream that stays open, and says nothing but its keep-alive. `ended`: why it is over. */
interface Stream {
  protocol: keyof typeof STREAMS;
  ended?: string;
  close(): void;
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

/** Opens one stream on a connection of its own. */
type Open = (up: UpOutput, ca: string, headers: Record<string, string>) => Promise<Stream>;

const open: Record<keyof typeof STREAMS, Open> = {
  async "HTTP/3"(up, ca, headers) {
    const client = http3Fetch({ ca, address: up.deployed.ipv4 });
    const response = await client.fetch(up.deployed.url, { method: "POST", headers, body: LISTEN });
    const stream: Stream = { protocol: "HTTP/3", close: () => void client.close() };
    if (response.status !== 200) stream.ended = `status ${response.status}`;
    const reader = response.body?.getReader();
    const read = async () => {
      while (!(await reader?.read())?.done);
      stream.ended ??= "its end";
    };
    read().catch((error) => {
      stream.ended ??= String(error);
    });
    return stream;
  },
  async "HTTP/2"(up, ca, headers) {
    const { hostname, pathname } = new URL(up.deployed.url);
    const session = connect(`https://${up.deployed.ipv4}`, { ca, servername: hostname });
    const stream: Stream = { protocol: "HTTP/2", close: () => session.destroy() };
    const call = session.request({
      ":method": "POST",
      ":path": pathname,
      ":authority": hostname,
      ...headers,
    });
    call.end(LISTEN);
    call.resume();
    for (const end of ["end", "error", "close"])
      call.on(end, (error) => {
        stream.ended ??= String(error ?? end);
      });
    session.on("error", () => undefined);
    await new Promise((done, fail) => call.once("response", done).once("error", fail));
    return stream;
  },
  "HTTP/1.1": (up, ca, headers) =>
    new Promise((done, fail) => {
      const { hostname, pathname } = new URL(up.deployed.url);
      const to = { host: up.deployed.ipv4, servername: hostname, path: pathname, ca, agent: false };
      const call = request({ ...to, method: "POST", headers: { host: hostname, ...headers } }, (response) => {
        const stream: Stream = { protocol: "HTTP/1.1", close: () => call.destroy() };
        if (response.statusCode !== 200) stream.ended = `status ${response.statusCode}`;
        response.resume();
        for (const end of ["end", "error", "close"])
          response.on(end, (error) => {
            stream.ended ??= String(error ?? end);
          });
        done(stream);
      });
      call.on("error", fail);
      call.end(LISTEN);
    }),
};

/** Changes of NGINX's files and an upgrade, as Debian's package does one, while streams are open and requests come. */
export async function edgeFigures(log: (line: string) => void): Promise<Figure[]> {
  const checkout = await Checkout.create();
  const streams: Stream[] = [];
  try {
    log("a machine");
    const up = await checkout.up("edge", "--no-doctor", "--set", "rateLimit=1000", "--set", "methodRates={}");
    const onMachine = async (script: string) => {
      const { code, stderr } = await inMachine(checkout, "edge", "bash", "-c", script);
      if (code !== 0) throw new Error(`${script}: ended with ${code}: ${stderr}`);
    };
    await onMachine(
      "echo LISTENS_PER_TOKEN=500 >>/srv/mcp-edge/state/server.env; mcp-edge-deploy restart >/dev/null",
    );
    const token = up.token?.token ?? "";
    const ca = await readFile(up.deployed.rootsFile, "utf8");
    const headers = {
      ...mcpHeaders(token),
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "subscriptions/listen",
    };
    log("streams");
    for (const [protocol, count] of Object.entries(STREAMS))
      for (let i = 0; i < count; i++) {
        streams.push(await open[protocol as keyof typeof STREAMS](up, ca, headers));
        await new Promise((done) => setTimeout(done, 50)); // within the firewall's limit of handshakes
      }
    const before = streams.filter(({ ended }) => ended !== undefined);
    if (before.length > 0) throw new Error(`${before.length} streams did not open: ${before[0]?.ended}`);
    log(`${CHANGES} changes of NGINX's files and an upgrade, under ${PER_SECOND} requests a second`);
    const traffic = load(up, token, PER_SECOND);
    const change = `echo "# $i" >/srv/mcp-edge/nginx/http.d/bench.conf; systemctl reload nginx; sleep ${PAUSE}`;
    await onMachine(
      `set -e; sleep 1; for i in $(seq ${CHANGES}); do ${change}; done; invoke-rc.d nginx upgrade || invoke-rc.d nginx restart; sleep ${PAUSE}`,
    );
    const { sent, failures } = await traffic.stop();
    for (const failure of new Set(failures)) log(failure);
    const figures = Object.entries(STREAMS).map(([protocol, count]): Figure => {
      const ended = streams.filter((stream) => stream.protocol === protocol && stream.ended !== undefined);
      for (const { ended: why } of ended) log(`${protocol}: ${why}`);
      return {
        what: `${protocol} streams ended by ${CHANGES} changes and an upgrade of NGINX`,
        unit: "requests",
        ours: ended.length,
        note: `of ${count}`,
        promise: "0",
      };
    });
    figures.push({
      what: "requests failed meanwhile",
      unit: "requests",
      ours: failures.length,
      note: `of ${sent} sent, half of them POST`,
      promise: "0",
    });
    return figures;
  } finally {
    for (const stream of streams) stream.close();
    await checkout.remove("edge");
  }
}
