import { readFile } from "node:fs/promises";
import { connect } from "node:http2";
import { get } from "node:https";
import { http3Fetch } from "../../cli/http3/http3-fetch.ts";
import type { UpOutput } from "./support.ts";

/** Number of events in the text of an event stream. */
const eventsIn = (text: string) => text.match(/^data:/gm)?.length ?? 0;

/**
 * Opens the event stream at `path` once each over HTTP/3, HTTP/2 and HTTP/1.1. It resolves when all have begun.
 *
 * @returns `events`: resolves when all have ended, with the number of events of each; a stream that was broken rejects
 */
export async function openStreams(up: UpOutput, path: string) {
  const { hostname } = new URL(up.deployed.url);
  const ca = await readFile(up.deployed.rootsFile, "utf8");
  const { ipv4 } = up.deployed;

  const http3 = http3Fetch({ ca, address: ipv4 });
  const response = await http3.fetch(`https://${hostname}${path}`);
  const overHttp3 = response.text().finally(() => http3.close());

  const session = connect(`https://${ipv4}`, { ca, servername: hostname });
  const stream = session.request({ ":path": path, ":authority": hostname });
  const overHttp2 = textOf(stream).finally(() => session.close());
  session.on("error", (error) => stream.destroy(error));

  const overHttp1 = await new Promise<Promise<string>>((done, fail) => {
    get({ host: ipv4, servername: hostname, path, ca, agent: false, headers: { host: hostname } }, (answer) =>
      done(textOf(answer)),
    ).on("error", fail);
  });

  const all = Promise.allSettled([overHttp3, overHttp2, overHttp1]);
  return {
    async events() {
      const [h3, h2, h1] = (await all).map((result) => {
        if (result.status === "rejected") throw result.reason;
        return eventsIn(result.value);
      });
      return { "HTTP/3": h3, "HTTP/2": h2, "HTTP/1.1": h1 };
    },
  };
}

/** @throws Error when the stream does not come to its end */
async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}
