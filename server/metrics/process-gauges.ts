import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, type Registry } from "prom-client";

/** Resolution of the event loop's timer, milliseconds: the delay that it measures when nothing is late. */
const RESOLUTION_MS = 20;

/**
 * Metrics of the process: event-loop delay since the last scrape, memory, CPU time, start time. They replace prom-client's default
 * metrics, which leave observers behind when a server is closed.
 *
 * @returns a function that stops the measurement
 */
export function processGauges(registry: Registry): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const registers = [registry];
  const late = (nanoseconds: number) =>
    Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3) : 0;
  new Gauge({
    name: "nodejs_eventloop_lag_seconds",
    help: "How late the event loop was since the last scrape",
    labelNames: ["quantile"],
    registers,
    collect() {
      this.set({ quantile: "0.5" }, late(delay.percentile(50)));
      this.set({ quantile: "0.99" }, late(delay.percentile(99)));
      this.set({ quantile: "1" }, late(delay.max));
      delay.reset();
    },
  });
  new Gauge({
    name: "nodejs_memory_bytes",
    help: "process.memoryUsage()",
    labelNames: ["kind"],
    registers,
    collect() {
      for (const [kind, bytes] of Object.entries(process.memoryUsage())) this.set({ kind }, bytes);
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time, user and system",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start of the process, seconds since 1970",
    registers,
    collect() {
      this.set(Math.round(Date.now() / 1e3 - process.uptime()));
    },
  });
  return () => delay.disable();
}
