import ipaddr from "ipaddr.js";
import * as z from "zod";
import { flag, rateLimit, text, wholeNumber } from "./formats.ts";

/** What operators tune of NGINX, with the formats that its files need. infra/settings/schema-edge.ts has defaults and descriptions. */

/** An address range: `203.0.113.0/24`, `2001:db8::/32`. Host bits are zero: NGINX would warn. */
const addressRange = z.string(rangeMessage()).refine((range) => isRange(range), rangeMessage());

function rangeMessage(): string {
  return "must be an address range such as 203.0.113.0/24 or 2001:db8::/32, without bits set after the prefix";
}

function isRange(range: string): boolean {
  if (!/^[0-9a-fA-F:.]+\/\d{1,3}$/.test(range) || !ipaddr.isValidCIDR(range)) return false;
  const [address, bits] = ipaddr.parseCIDR(range);
  const network =
    address.kind() === "ipv4"
      ? ipaddr.IPv4.networkAddressFromCIDR(range)
      : ipaddr.IPv6.networkAddressFromCIDR(range);
  return bits >= 0 && network.toString() === address.toString();
}

/** Providers of cloud-init/egress-ranges.json, in lower case. */
export const PROVIDERS = ["anthropic", "openai"] as const;

// Pulumi hands out the numbers of an object's defaults as texts.
const rateOfEntry = z.preprocess(
  (rate) => (typeof rate === "string" && /^\d+$/.test(rate) ? Number(rate) : rate),
  rateLimit,
);

export const edgeSettings = {
  /** Requests of one credential at one address that may come at once. */
  rateBurst: wholeNumber(1, 20_000),
  /** Requests a second of one credential at one address, by the header `Mcp-Method` (revision 2026-07-28). */
  methodRates: z.record(
    text(/^[a-z]+(\/[A-Za-z]+)*$/, "a method such as subscriptions/listen"),
    rateOfEntry,
    "must be methods with requests a second",
  ),
  /** The same by path: a path, and what is below it. */
  pathRates: z.record(
    text(/^(\/[A-Za-z0-9._-]+)+$/, "a path such as /token, without a slash at its end"),
    rateOfEntry,
    "must be paths with requests a second",
  ),
  /** Requests and streams that one address may have open. */
  openRequests: wholeNumber(16, 8_000),
  /** Seconds that the server may take for the next bytes of a response; of a stream, which has a keep-alive every 15 s. */
  requestSeconds: wholeNumber(10, 3_600),
  streamSeconds: wholeNumber(60, 86_400),
  /** KiB of a request's body. The server itself takes 256. */
  bodyKiB: wholeNumber(16, 512),
  /** Parts of `User-Agent` that are refused, in any case of letters. */
  blockedUserAgents: z.array(
    text(
      /^[A-Za-z0-9 ._/+:;()-]{2,64}$/,
      "a part of a User-Agent, such as BadBot/1.0: 2 to 64 letters, digits, blanks and . _ / + : ; ( ) -",
    ),
  ),
  /** Who alone may call /mcp and /api; empty: everybody. */
  allowedClients: z.array(
    z.union(
      [z.enum(PROVIDERS), addressRange],
      "must be anthropic, openai or an address range such as 203.0.113.0/24",
    ),
  ),
  /** Proxies in front of the machine: what they say about the client's address is believed. */
  trustedProxies: z.array(addressRange),
  /** Their TCP connections begin with a header of the PROXY protocol. */
  proxyProtocol: flag,
  quicRetry: flag,
  earlyData: flag,
  postQuantum: flag,
  /** Seconds; 0 takes the promise back. */
  hstsSeconds: wholeNumber(0, 63_072_000),
  altSvcSeconds: wholeNumber(0, 31_536_000),
};
