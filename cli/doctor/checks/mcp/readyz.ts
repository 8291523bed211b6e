import { BUNDLED_SERVER, slotUnits } from "../../../../cloud-init/app.ts";
import { type Check, CheckFailure } from "../../check.ts";
import { askHttps } from "../../clients/http1.ts";

interface Readiness {
  ready?: boolean;
  draining?: boolean;
  release?: string;
  colour?: string;
  checks?: Record<string, { ok?: boolean }>;
}

export const readyz: Check = {
  id: "readyz",
  title: "Server ready",
  needs: ["tcp"],
  tried: ({ target }) => `GET ${target.origin}/readyz`,
  async run(context, signal) {
    const { status, body } = await askHttps(context, { path: "/readyz" }, signal);
    const state = parse(body);
    if (state?.ready === true && status === 200) {
      const release = state.release ? `, release ${state.release.slice(0, 12)}` : "";
      return `ready${release}${state.colour ? ` (${state.colour})` : ""}`;
    }
    const bad = Object.entries(state?.checks ?? {}).filter(([, check]) => check.ok === false);
    const why = state?.draining ? "it is shutting down" : bad.map(([name]) => name).join(", ");
    throw new CheckFailure(`status ${status}, not ready${why ? `: ${why}` : ""}`);
  },
  fix: () =>
    `See which of its checks fails: mcp-edge-deploy status; journalctl -u '${slotUnits(BUNDLED_SERVER)}' -n 50`,
};

function parse(body: string): Readiness | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Readiness) : undefined;
  } catch {
    return undefined;
  }
}
