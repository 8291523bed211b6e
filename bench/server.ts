import { join } from "node:path";
import type { Figure } from "./figures.ts";
import { bearerFigures } from "./server/bearer.ts";
import { inTurn, type Turn } from "./server/in-turn.ts";
import { latency, latencyFigures } from "./server/latency.ts";
import type { Loading, LoadResult, MeasuredLoad, Served } from "./server/load-types.ts";
import { envelopes, plain, sessions } from "./server/loads.ts";
import { peers } from "./server/peers.ts";
import { measured, sent, served, servedPeer, withFolder } from "./server/served.ts";

/** Seconds of warm-up of another server. Only V8 compiles code in steps (see served.ts). */
const PEER_WARM_UP = 4;
/** Numbers of calls after which the heap is compared. */
const HEAP_CALLS = [100_000, 1_000_000] as const;

const here = (file: string) => join(import.meta.dirname, "server", file);
const call = (name: string) => envelopes("tools/call", name);

/**
 * Calls and lists on one core: our server in both protocol eras, beside the ceiling and other servers, all from one run by the same load
 * generator. Everything that a machine has switched on is on here: see `environment` in served.ts. The sizes are those of whole answers, whose
 * text and structured content say the same.
 */
export async function serverFigures(log: (line: string) => void): Promise<Figure[]> {
  const others = await peers(log);
  return withFolder(async (folder) => {
    const figures: Figure[] = [];
    const ratio = (what: string, ours: MeasuredLoad, against: LoadResult, promise = "", name = "node:http") =>
      figures.push(row(what, ours, { name, value: against.rate }, promise));
    const paced = (target: Served, loading: Loading, what: string, rate: number) => {
      log(`${what}: latency at ${rate} requests a second`);
      return latency(target, loading, rate);
    };

    const ceiling = await served([process.execPath, here("ceiling.ts")], folder);
    const ours = await served([process.execPath, here("echo.ts")], folder);
    const bare = (what: string, name: string): Turn => ({ what, target: ceiling, loading: plain(name) });
    const edge = (what: string, loading: Loading): Turn => ({
      what: `mcp-edge: ${what}`,
      target: ours,
      loading,
    });

    const [echo, call2025, call2026, list] = await inTurn(
      [
        bare("ceiling: node:http that parses and answers JSON, 200 B", "echo"),
        edge("tools/call 200 B, sessions of 2025-11-25", sessions("echo")),
        edge("tools/call 200 B, 2026-07-28", call("echo")),
        edge("tools/list, 2026-07-28", envelopes("tools/list")),
      ],
      log,
    );
    ratio("mcp-edge, 200 B, a session of 2025-11-25", call2025, echo, ">= 0.30 x");
    ratio("mcp-edge, 200 B, 2026-07-28", call2026, echo, ">= 0.30 x");
    ratio("mcp-edge, tools/list, 2026-07-28", list, echo, ">= 0.30 x");
    const half = Math.round(call2026.rate / 2);
    const before = await paced(ours, call("echo"), "mcp-edge, half of its peak rate", half);

    const [large, large2025, large2026] = await inTurn(
      [
        bare("ceiling, 40 KB that are ready", "large"),
        edge("tools/call 40 KB, sessions of 2025-11-25", sessions("large")),
        edge("tools/call 40 KB, 2026-07-28", call("large")),
      ],
      log,
    );
    ratio("mcp-edge, 40 KB, a session of 2025-11-25", large2025, large, ">= 0.30 x");
    ratio("mcp-edge, 40 KB, 2026-07-28", large2026, large, ">= 0.30 x");
    const [huge, made, huge2026] = await inTurn(
      [
        bare("ceiling, 80 KB that are ready", "huge"),
        bare("ceiling, 80 KB that it makes", "huge-made"),
        edge("tools/call 80 KB, 2026-07-28", call("huge")),
      ],
      log,
    );
    const twice = "mcp-edge, 80 KB: 40 KB as text and again as structure, 2026-07-28";
    ratio(twice, huge2026, huge);
    ratio(`${twice}, beside a handler that makes them`, huge2026, made, "", "node:http that makes the same");
    const after = await paced(ours, call("echo"), "mcp-edge, after the large calls", half);
    await ours.stop();

    const bareAfter = await paced(ceiling, plain("echo"), "ceiling, after its large calls", half);
    await ceiling.stop();
    const fresh = await served([process.execPath, here("ceiling.ts")], folder);
    await measured(fresh, plain("echo"));
    const bareBefore = await paced(fresh, plain("echo"), "ceiling", half);
    const bareHalf = await paced(
      fresh,
      plain("echo"),
      "ceiling, half of its peak rate",
      Math.round(echo.rate / 2),
    );
    await fresh.stop();
    figures.push(...latencyFigures({ before, after, bareBefore, bareAfter, bareHalf }));

    for (const peer of others) {
      const target = await servedPeer(peer).catch((error: Error) => log(`left out: ${error.message}`));
      if (!target) continue;
      for (const [tool, against] of [
        ["echo", echo],
        ["large", large],
      ] as const) {
        const size = tool === "echo" ? "200 B" : "40 KB";
        log(`${peer.name}, ${size}`);
        const result = await measured(target, sessions(tool), peer.compiles ? undefined : PEER_WARM_UP).catch(
          (error: Error) => log(`left out: ${peer.name}, ${size}: ${error.message}`),
        );
        if (result) ratio(`${peer.name}, ${size}`, result, against);
      }
      await target.stop();
    }
    figures.push(await heapFigure(folder, log));
    log("the check of an access token");
    figures.push(...(await bearerFigures()));
    return figures;
  });
}

async function heapFigure(folder: string, log: (line: string) => void): Promise<Figure> {
  const target = await served([process.execPath, here("echo.ts")], folder);
  const load = await sessions("echo")(target);
  const heaps: number[] = [];
  let calls = 0;
  for (const until of HEAP_CALLS) {
    log(`mcp-edge: ${until.toLocaleString("en")} calls`);
    while (calls < until) {
      const { rate } = await sent({ ...load, seconds: 10 });
      calls += rate * 10;
    }
    heaps.push((await target.memory()).heap / 1024);
  }
  await target.stop();
  const [before = 0, after = 0] = heaps;
  const name = `after ${HEAP_CALLS[0].toLocaleString("en")} calls`;
  return {
    what: `heap after ${HEAP_CALLS[1].toLocaleString("en")} calls`,
    unit: "KB",
    ours: after,
    against: { name, value: before },
    promise: "within 5 %",
  };
}

const row = (
  what: string,
  ours: MeasuredLoad,
  against: Figure["against"] & object,
  promise: string,
): Figure => ({
  what,
  unit: "req/s",
  ours: ours.rate,
  against,
  promise,
  note: `${ours.processor.toFixed(0)} us of the processor; p50 ${ours.p50} ms, p99 ${ours.p99} ms${ours.failed ? `, ${ours.failed} FAILED` : ""}`,
});
