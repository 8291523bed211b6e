import { edgeSettings } from "../../cloud-init/edge-settings.ts";
import { setting } from "./meta.ts";

const {
  rateBurst,
  methodRates,
  pathRates,
  openRequests,
  requestSeconds,
  streamSeconds,
  bodyKiB,
  blockedUserAgents,
  allowedClients,
  trustedProxies,
  proxyProtocol,
  quicRetry,
  earlyData,
  postQuantum,
  hstsSeconds,
  altSvcSeconds,
} = edgeSettings;

/** What operators tune of NGINX, for every target. */
export const edge = {
  rateBurst: setting(rateBurst, 100, {
    description:
      "Requests that may come at once beyond `rateLimit`, without a delay; four times as many of one address in all.",
  }),
  methodRates: setting(
    methodRates,
    { "subscriptions/listen": 5 },
    {
      description:
        "Requests a second of one token by their header `Mcp-Method` (revision 2026-07-28), where a method needs a lower rate than `rateLimit`. Twice as many may come at once.",
      fallback: "`subscriptions/listen`: 5",
    },
  ),
  pathRates: setting(
    pathRates,
    { "/authorize": 10, "/token": 10, "/register": 10, "/sign-in": 10, "/enrol": 10, "/account": 10 },
    {
      description:
        "Requests a second of one address without a token, or of one token, by path, where a path and what is below it need a lower rate than `rateLimit`. Twice as many may come at once. Not for addresses of Anthropic's and OpenAI's services, which sign in for many people.",
      fallback: "the paths of the sign-in: 10",
      example: { "/token": 10, "/api": 20 },
    },
  ),
  openRequests: setting(openRequests, 512, {
    description:
      "Requests and streams that one address may have open; one token at that address half as many. Addresses of Anthropic's and OpenAI's services have the limit of each token alone.",
  }),
  requestSeconds: setting(requestSeconds, 300, {
    description: "Seconds without a byte of the response after which NGINX answers 504.",
  }),
  streamSeconds: setting(streamSeconds, 3600, {
    description: "The same for `/mcp`, whose streams have a keep-alive every 15 s.",
  }),
  bodyKiB: setting(bodyKiB, 512, {
    description: "Largest body of a request, KiB, but for uploads of indexes. The server itself takes 256.",
  }),
  blockedUserAgents: setting(blockedUserAgents, [], {
    description:
      "Parts of `User-Agent`, in any case of letters, that get 403. MCP clients often send the name of a library, such as `python-httpx` or `node`.",
    fallback: "none",
    example: ["BadBot"],
  }),
  allowedClients: setting(allowedClients, [], {
    description:
      "Who alone may call `/mcp` and `/api`: address ranges, `anthropic`, `openai` (the published addresses from which Claude and ChatGPT call; `npm run egress-ranges` refreshes them). Sign-in and the other pages stay open to everybody.",
    fallback: "everybody",
    example: ["anthropic", "203.0.113.0/24"],
  }),
  trustedProxies: setting(trustedProxies, [], {
    description:
      "Address ranges of proxies in front of the machine. Limits, logs and the server then take the client's address from their `X-Forwarded-For`. The firewall does not limit these proxies, and they are never banned. A ban of a client behind them has no effect.",
    fallback: "none",
    example: ["198.51.100.0/24"],
    edge: "TRUSTED_PROXIES",
  }),
  proxyProtocol: setting(proxyProtocol, false, {
    description:
      "The proxies of `trustedProxies` pass TCP on as it is, and begin each connection to ports 443 and 80 with a header of the PROXY protocol (version 1 or 2), such as an AWS Network Load Balancer. They must pass UDP with the client's own address. Other sources connect as before.",
    edge: (on) => (on ? { PROXY_PROTOCOL: "yes" } : {}),
  }),
  quicRetry: setting(quicRetry, false, {
    description:
      "Under an attack with forged addresses: let each QUIC client prove its address first. It costs a round trip, and some clients hang on it.",
  }),
  earlyData: setting(earlyData, false, {
    description:
      "TLS 1.3 early data (0-RTT) over TCP, which others may send again. A request in it that is not GET, HEAD or OPTIONS is answered 425.",
  }),
  postQuantum: setting(postQuantum, true, {
    description: "Offer X25519MLKEM768. `false` for networks that drop its larger handshake.",
  }),
  hstsSeconds: setting(hstsSeconds, 63_072_000, {
    description: "`max-age` of Strict-Transport-Security; 0 takes the promise back.",
  }),
  altSvcSeconds: setting(altSvcSeconds, 86_400, {
    description: "How long clients remember that HTTP/3 is here (`ma` of Alt-Svc); 0 makes them forget it.",
  }),
};
