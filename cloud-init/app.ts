/**
 * What runs behind the edge. The machine's units, its NGINX, its deploy scripts and the release builder take these values from here.
 *
 * A release is unpacked to /opt/mcp-edge/releases/<sha256>, and /opt/mcp-edge/<slot> points to it. The two slots, `blue` and `green`,
 * are instances of one systemd template unit and share one listening socket.
 */
export interface App {
  /** Name of the systemd units without their types: `<unit>@.service` runs a slot, `<unit>.socket` listens. */
  unit: string;
  /** Address and port of the listening socket, to which NGINX proxies. */
  listen: string;
  /** Command line of a slot: the program, then its files. All are paths inside a release; an archive without one of them is refused. */
  start: readonly [program: string, ...files: string[]];
  /** How a slot says that it is ready: HTTP 200 at this path, on the slot's admin socket and through NGINX. */
  ready: string;
}

/** Glob pattern of the units of both slots, for systemctl and journalctl. */
export const slotUnits = ({ unit }: App) => `${unit}@*`;

/** The MCP server of this repository. `infra/release.ts` builds its releases. */
export const BUNDLED_SERVER = {
  unit: "mcp-edge",
  listen: "127.0.0.1:8080",
  start: ["bin/node", "server.mjs"],
  ready: "/readyz",
} as const satisfies App;
