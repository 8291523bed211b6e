import type { Check } from "../check.ts";
import { acme } from "./acme.ts";
import { altSvc } from "./alt-svc.ts";
import { certificate } from "./certificate.ts";
import { dns } from "./dns.ts";
import { foreignHost } from "./foreign-host.ts";
import { http1 } from "./http1.ts";
import { http2 } from "./http2.ts";
import { http3 } from "./http3.ts";
import { mcp2025, mcp2026, mcpHttp3 } from "./mcp.ts";
import { readyz } from "./readyz.ts";
import { redirect } from "./redirect.ts";
import { firstByte, keepAlive } from "./streams.ts";
import { tcp } from "./tcp.ts";
import { token } from "./token.ts";
import { udp } from "./udp.ts";
import { unauthorized } from "./unauthorized.ts";
import { unknownHost } from "./unknown-host.ts";

/** All checks, in the order of the report. */
export const CHECKS: readonly Check[] = [
  dns,
  tcp,
  udp,
  http3,
  http2,
  http1,
  altSvc,
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
