import type { Contradiction } from "./cross-checks.ts";
import type { Commands } from "./errors.ts";
import type { Settings } from "./schemas.ts";

/** What is wrong between settings of NGINX. Pure. */
export function edgeContradictions(settings: Settings, commands: Commands): Contradiction[] {
  const { proxyProtocol, trustedProxies } = settings;
  return proxyProtocol && trustedProxies.length === 0
    ? [
        {
          text: "proxyProtocol is true, and trustedProxies names no proxy that could send it",
          fix: commands.set(["trustedProxies"]),
        },
      ]
    : [];
}
