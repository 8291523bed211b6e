import type { Check } from "../check.ts";
import { acme } from "./http/acme.ts";
import { altSvc } from "./http/alt-svc.ts";
import { clock } from "./http/clock.ts";
import { foreignHost } from "./http/foreign-host.ts";
import { http1, http2 } from "./http/http1.ts";
import { http3 } from "./http/http3.ts";
import { redirect } from "./http/redirect.ts";
import { mcp2025, mcp2026, mcpHttp3 } from "./mcp/clients.ts";
import { readyz } from "./mcp/readyz.ts";
import { firstByte, keepAlive } from "./mcp/streams.ts";
import { token } from "./mcp/token.ts";
import { unauthorized } from "./mcp/unauthorized.ts";
import { certificate } from "./network/certificate.ts";
import { dns } from "./network/dns.ts";
import { tcp } from "./network/tcp.ts";
import { udp } from "./network/udp.ts";
import { unknownHost } from "./network/unknown-host.ts";

/** All checks, in the order of the report. */
export const CHECKS: readonly Check[] = [
  dns,
  tcp,
  udp,
  http3,
  http2,
  http1,
  altSvc,
  clock,
  certificate,
  unknownHost,
  foreignHost,
  redirect,
  acme,
  readyz,
  firstByte("http3"),
  firstByte("http2"),
  keepAlive("http3"),
  keepAlive("http2"),
  unauthorized,
  token,
  mcp2025,
  mcp2026,
  mcpHttp3,
];
