import { isDeepStrictEqual } from "node:util";
import type { Contradiction } from "./cross-checks.ts";
import type { Commands, Path } from "./errors.ts";
import { defaultOf } from "./meta.ts";
import { common } from "./schema-common.ts";
import type { Settings } from "./schemas.ts";

/** Settings that NGINX alone implements. Caddy has no such limits without plug-ins, which Debian's package does not have. */
const NGINX_ONLY = [
  "rateBurst",
  "methodRates",
  "openRequests",
  "trustedProxies",
  "proxyProtocol",
  "pathRates",
  "quicRetry",
  "earlyData",
] as const;

/** What lies between the settings of the topology, on both targets. Pure. */
export function topologyContradictions(settings: Settings, commands: Commands): Contradiction[] {
  const { edge, forward } = settings;
  const found: Contradiction[] = [];
  // By value: the engine gives each stack the defaults of Pulumi.yaml.
  const isSet = (key: (typeof NGINX_ONLY)[number]) =>
    !isDeepStrictEqual(settings[key], defaultOf(common[key]));
  if (edge === "passthrough")
    for (const key of NGINX_ONLY)
      if (isSet(key))
        found.push({
          text: `${key} is a setting of NGINX, and with edge: passthrough Caddy terminates TLS, which has no such setting`,
          fix: commands.remove([key]),
        });
  if (edge === "terminate" && forward !== "kernel")
    found.push({
      text: `forward is ${forward}, and with edge: terminate nothing is passed on`,
      fix: `${commands.set(["edge"] as Path, "passthrough")}; or ${commands.remove(["forward"])}`,
    });
  return found;
}
