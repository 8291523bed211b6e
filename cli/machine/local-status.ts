import { machineOutput } from "./machine-output.ts";
import { hasForwarder, type LocalMachineRef, machineRef } from "./machine-ref.ts";

/** What the machine of a stack on this host reports of itself, and with `edge: passthrough` its edge. */
export interface LocalStatus {
  /** Whether the server is ready and, with an edge, whether that passes connections on. */
  ok: boolean;
  /** The slot that serves, blue or green; "": none. */
  colour: string;
  /** sha256 of the releases that serve now and before. "": none. */
  release: string;
  previous: string;
  ready: boolean;
  /** sha256 of the machine's files. */
  files: string;
  /** What else the machine reports, by the names that it gives: NGINX, flows, clock, updates, reboot, certificate. */
  reports: Record<string, string>;
  /** Only with `edge: passthrough`. */
  edge?: { ok: boolean; text: string };
}

/** Names in the machine's text that `--json` has, too. */
const IN_JSON = ["slot", "release", "ready", "files"];

/** @throws Error when the machine does not run */
export async function localStatus(ref: LocalMachineRef, stack: string): Promise<LocalStatus> {
  const [json, text] = await Promise.all([
    machineOutput(ref, ["mcp-edge-deploy", "status", "--json"]),
    machineOutput(ref, ["mcp-edge-deploy", "status"]),
  ]);
  const status: Omit<LocalStatus, "ok" | "reports"> = JSON.parse(json);
  const edge = (await hasForwarder(stack)) ? await edgeStatus(stack) : undefined;
  return {
    ok: status.ready && edge?.ok !== false,
    ...status,
    reports: reportsOf(text),
    ...(edge ? { edge } : {}),
  };
}

async function edgeStatus(stack: string): Promise<{ ok: boolean; text: string }> {
  try {
    const forwarder = await machineRef(stack, "edge");
    return { ok: true, text: (await machineOutput(forwarder, ["mcp-edge-deploy", "check"])).trim() };
  } catch (error) {
    return { ok: false, text: (error as Error).message };
  }
}

/** The lines of `mcp-edge-deploy status` that its JSON has not, by name. Pure. */
export function reportsOf(text: string): Record<string, string> {
  const pairs = text
    .split("\n")
    .map((line) => /^([a-z]+): +(.+)$/.exec(line)?.slice(1))
    .filter((pair) => pair !== undefined)
    .filter(([name = ""]) => !IN_JSON.includes(name))
    // Of a machine that has just booted.
    .map(([name, report]) => [name, report?.startsWith("? ") ? "not checked yet" : report]);
  return Object.fromEntries(pairs);
}

/** For people: a line of what serves, and a line for each report. Pure. */
export function localStatusText(stack: string, status: LocalStatus): string {
  const { release, colour, ready, reports, edge } = status;
  const width = Math.max(0, ...Object.keys(reports).map((name) => name.length));
  return [
    `${stack}: release ${release.slice(0, 12) || "none"} (${colour || "no slot"}), ${ready ? "ready" : "not ready: npm run mcp-edge -- logs"}`,
    ...Object.entries(reports).map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
    ...(edge ? [`${stack}, edge: ${edge.text}`] : []),
  ].join("\n");
}
