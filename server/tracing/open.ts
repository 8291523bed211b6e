import type { ServerConfig } from "../config/config.ts";
import type { Tracing } from "./tracing.ts";

/**
 * Starts OpenTelemetry if one of its variables is set: `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318` is enough. Otherwise none of
 * it is loaded, and no request pays for it. Spans, and the two metrics of the conventions for MCP: the other metrics are at /metrics, the logs on
 * standard output.
 */
export async function openTracing(
  config: Pick<ServerConfig, "tracing" | "release" | "slot">,
): Promise<Tracing | undefined> {
  if (!config.tracing) return undefined;
  const { OpenTelemetry } = await import("./open-telemetry.ts");
  return new OpenTelemetry({ ...config.tracing, release: config.release, slot: config.slot });
}
