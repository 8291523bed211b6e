import type { FastifyInstance } from "fastify";
import type { Tool } from "../tools/tool.ts";

/** Spans of what the server does, sent to whatever collector the environment names. */
export interface Tracing {
  /** A server span for each request, with the trace and span ids that are in its log lines. */
  register(app: FastifyInstance): void;
  /** The same tool, in a span of its own under its request's. */
  tool(tool: Tool): Tool;
  /** Sends what is left. */
  close(): Promise<void>;
}

/**
 * OpenTelemetry, when one of its variables is set (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/):
 * `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318` is enough. Otherwise nothing of it is loaded and no request pays for it.
 * Traces only: the metrics are at /metrics, the logs on standard output.
 *
 * @param about the release and colour, as attributes of the resource
 */
export async function openTracing(
  env: NodeJS.ProcessEnv,
  about: { release: string; colour: string },
): Promise<Tracing | undefined> {
  if (!Object.entries(env).some(([name, value]) => name.startsWith("OTEL_") && value?.trim()))
    return undefined;
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return undefined;
  const { OpenTelemetry } = await import("./open-telemetry.ts");
  return new OpenTelemetry(about);
}
