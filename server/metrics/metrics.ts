import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { StreamEnd } from "../http/event-stream.ts";
import type { CallObserver } from "../tools/observed-tool.ts";
import { NAME, VERSION } from "../version.ts";
import { processGauges } from "./process-gauges.ts";
import type { RequestSample } from "./request-sample.ts";
import { type CountSeries, Counts, Known, type SeriesOptions, type TimeSeries, Times } from "./series.ts";
import { TotalsCounter } from "./totals.ts";

/** Values that are read at each scrape. */
export interface MetricSources {
  inFlight(): number;
  openStreams(): Iterable<readonly [route: string, open: number]>;
  /** Bytes that wait in event streams for clients to read. */
  queuedBytes(): number;
  /** `oldestMs` is undefined if there is no session. */
  sessions(): { open: number; oldestMs?: number | undefined };
  /** 0 to 1: how full the machine's table of tracked flows is; undefined where the machine does not report it. */
  trackedFlows(): number | undefined;
  /** The certificate that NGINX serves, times in milliseconds since 1970; undefined: the machine has not reported it of late. */
  certificate(): { from: number; to: number; failed: boolean } | undefined;
  release: string;
  colour: string;
}

/** From a short response to a day. */
const LONG = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

/** The series of a route and method. */
interface RequestSeries {
  readonly answers: AnswerSeries[];
  readonly whole: TimeSeries;
  readonly firstByte: TimeSeries;
}

/** There are few of a route and method. */
interface AnswerSeries extends Pick<RequestSample, "status" | "http" | "protocol"> {
  readonly count: CountSeries;
}

interface CallSeries {
  readonly outcomes: Known<CountSeries>;
  readonly time: TimeSeries;
}

/** All metrics, in their own registry. For their names see https://prometheus.io/docs/practices/naming/. */
export class Metrics {
  /** Sums over all labels. */
  readonly totals = new TotalsCounter();
  readonly #registry = new Registry();
  readonly #requests = new Counts(
    this.#series("http_requests_total", "Requests answered", [
      "route",
      "method",
      "status",
      "http",
      "protocol",
    ]),
  );
  readonly #requestTime = new Times(
    this.#series(
      "http_request_duration_seconds",
      "Time until the response is complete, without long-lived streams",
    ),
  );
  readonly #firstByte = new Times(
    this.#series("http_request_first_byte_seconds", "Time until the response begins"),
  );
  readonly #toolCalls = new Counts(this.#series("tool_calls_total", "Tool calls", ["tool", "outcome"]));
  readonly #toolTime = new Times(this.#series("tool_duration_seconds", "Duration of tool calls"));
  readonly #knownRequests = new Known<Known<RequestSeries>>();
  readonly #knownCalls = new Known<CallSeries>();
  readonly #refused = this.#counter("refused_total", "Requests refused by a limit", ["reason"]);
  readonly #streamTime = this.#histogram("stream_duration_seconds", "Lifetime of event streams", LONG, [
    "route",
  ]);
  readonly #streamBytes = this.#counter("stream_sent_bytes_total", "Bytes sent on event streams", ["route"]);
  readonly #streamChunks = this.#counter("stream_chunks_total", "Chunks sent on event streams", ["route"]);
  readonly #streamEnds = this.#counter("stream_disconnects_total", "Event streams ended, by reason", [
    "route",
    "reason",
  ]);
  readonly #audit = this.#counter("audit_records_total", "Records of the audit log", ["outcome"]);
  readonly #auditErrors = this.#counter("audit_write_errors_total", "Failed writes of the audit log", []);
  readonly #stop: () => void;

  constructor(sources: MetricSources) {
    this.#gauge("http_requests_in_flight", "Requests in progress, including streams", (g) =>
      g.set(sources.inFlight()),
    );
    this.#gauge(
      "streams_open",
      "Open event streams",
      (g) => {
        g.reset();
        for (const [route, open] of sources.openStreams()) g.set({ route }, open);
      },
      ["route"],
    );
    this.#gauge("stream_queued_bytes", "Bytes that wait in event streams for clients to read", (g) =>
      g.set(sources.queuedBytes()),
    );
    this.#gauge("sessions_open", "MCP sessions in memory", (g) => g.set(sources.sessions().open));
    this.#gauge("session_oldest_age_seconds", "Age of the oldest MCP session in memory", (g) => {
      const { oldestMs } = sources.sessions();
      if (oldestMs === undefined) g.remove({});
      else g.set(oldestMs / 1_000);
    });
    this.#gauge("tracked_flows_ratio", "How full the machine's table of tracked flows is, 0 to 1", (g) => {
      const ratio = sources.trackedFlows();
      if (ratio === undefined) g.remove({});
      else g.set(ratio);
    });
    this.#certificate(sources);
    this.#gauge(
      "build_info",
      "The running version; always 1",
      (g) => g.set({ version: VERSION, release: sources.release, colour: sources.colour }, 1),
      ["version", "release", "colour"],
    );
    this.#stop = processGauges(this.#registry);
  }

  /** Fractions of the life, because lifetimes range from 6 to 90 days. Nothing is shown of an unknown certificate. */
  #certificate({ certificate }: MetricSources): void {
    const gauge = (
      name: string,
      help: string,
      value: (known: NonNullable<ReturnType<MetricSources["certificate"]>>) => number,
    ) =>
      this.#gauge(name, help, (g) => {
        const known = certificate();
        if (known === undefined) g.remove({});
        else g.set(value(known));
      });
    gauge(
      "certificate_life_ratio",
      "Fraction of the certificate's life that is left, 0 to 1",
      ({ from, to }) => Math.max(0, (to - Date.now()) / (to - from)),
    );
    gauge(
      "certificate_expiry_timestamp_seconds",
      "When the certificate ends, since 1970",
      ({ to }) => to / 1_000,
    );
    gauge(
      "certificate_renewal_failed",
      "1 if the last attempt to renew the certificate failed",
      ({ failed }) => (failed ? 1 : 0),
    );
  }

  /** The content type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Prometheus' text format, version 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  request(sample: RequestSample): void {
    const { route, method, seconds, firstByteSeconds } = sample;
    this.totals.request(sample);
    const methods = this.#knownRequests.get(route, () => new Known());
    const { answers, whole, firstByte } = methods.get(method, () => ({
      answers: [],
      whole: this.#requestTime.series({ route, method }),
      firstByte: this.#firstByte.series({ route, method }),
    }));
    this.#answer(answers, sample).value++;
    if (sample.longLived) return;
    whole.observe(seconds);
    if (firstByteSeconds !== undefined) firstByte.observe(firstByteSeconds);
  }

  #answer(known: AnswerSeries[], { route, method, status, http, protocol }: RequestSample): CountSeries {
    for (const answer of known)
      if (answer.status === status && answer.http === http && answer.protocol === protocol)
        return answer.count;
    const count = this.#requests.series({ route, method, http, protocol, status: String(status) });
    known.push({ status, http, protocol, count });
    return count;
  }

  refused(reason: string): void {
    this.totals.refused();
    this.#refused.inc({ reason });
  }

  streamEnded({ route, reason, bytes, chunks, seconds }: StreamEnd): void {
    this.#streamTime.observe({ route }, seconds);
    this.#streamBytes.inc({ route }, bytes);
    this.#streamChunks.inc({ route }, chunks);
    this.#streamEnds.inc({ route, reason });
  }

  /** Counts the calls of tools by their outcome, and measures them. */
  readonly calls: CallObserver = ({ name: tool }) => {
    const started = performance.now();
    return (outcome) => {
      this.totals.toolCall(outcome);
      const { outcomes, time } = this.#knownCalls.get(tool, () => ({
        outcomes: new Known(),
        time: this.#toolTime.series({ tool }),
      }));
      outcomes.get(outcome, () => this.#toolCalls.series({ tool, outcome })).value++;
      time.observe((performance.now() - started) / 1_000);
    };
  };

  /** `lost`: records that could not be written and for which there was no more room in memory. */
  audited(outcome: "written" | "lost", records: number): void {
    this.#audit.inc({ outcome }, records);
  }

  auditFailed(): void {
    this.#auditErrors.inc();
  }

  close(): void {
    this.#stop();
    this.#registry.clear();
  }

  #options<L extends string>(name: string, help: string, labelNames: L[]) {
    return { name: `${PREFIX}_${name}`, help, labelNames, registers: [this.#registry] };
  }

  #series(name: string, help: string, labelNames: string[] = []): SeriesOptions {
    return { name: `${PREFIX}_${name}`, help, labelNames, registry: this.#registry };
  }

  #counter<L extends string>(name: string, help: string, labels: L[]) {
    return new Counter<L>(this.#options(name, help, labels));
  }

  #histogram<L extends string>(name: string, help: string, buckets: readonly number[], labels: L[]) {
    return new Histogram<L>({ ...this.#options(name, help, labels), buckets: [...buckets] });
  }

  #gauge<L extends string>(name: string, help: string, collect: (gauge: Gauge<L>) => void, labels: L[] = []) {
    return new Gauge<L>({
      ...this.#options(name, help, labels),
      collect() {
        collect(this);
      },
    });
  }
}

const PREFIX = NAME.replaceAll("-", "_");
