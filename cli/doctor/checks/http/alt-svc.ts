import { type Check, CheckFailure } from "../../check.ts";
import { askHttps } from "../../clients/http1.ts";

/** One alternative of an Alt-Svc field (RFC 7838 section 3). */
export interface Alternative {
  protocol: string;
  /** Empty for the same host. */
  host: string;
  port: number;
  /** Seconds that a client may remember it; the RFC's default is a day. */
  maxAge: number;
}

/** Parses an Alt-Svc field. `clear` and malformed values give no alternatives. */
export function parseAltSvc(field: string): Alternative[] {
  const one = /([!#$%&'*+\-.^_`|~\w]+)="([^"]*):(\d+)"((?:\s*;\s*[^,;]+)*)/g;
  return [...field.matchAll(one)].map(([, protocol = "", host = "", port, parameters = ""]) => {
    const maxAge = /;\s*ma="?(\d+)/.exec(parameters)?.[1];
    return { protocol, host, port: Number(port), maxAge: Number(maxAge ?? 86_400) };
  });
}

export const altSvc: Check = {
  id: "alt-svc",
  title: "Alt-Svc",
  needs: ["tcp"],
  tried: ({ target }) => `whether the answer to GET ${target.origin}/ names HTTP/3 in its Alt-Svc header`,
  async run(context, signal) {
    const { host, port } = context.target;
    const { headers } = await askHttps(context, { path: "/" }, signal);
    const field = headers["alt-svc"];
    if (field === undefined) throw new CheckFailure("no Alt-Svc header, so browsers never try HTTP/3");
    const h3 = parseAltSvc(field).filter((one) => one.protocol === "h3");
    if (h3.length === 0) throw new CheckFailure(`${field}: does not name h3`);
    const right = h3.find((one) => one.port === port && (one.host === "" || one.host === host));
    if (right === undefined) throw new CheckFailure(`${field}: not this host's port ${port}`);
    if (right.maxAge === 0) throw new CheckFailure(`${field}: ma=0 tells clients to forget it`);
    return field;
  },
  fix: ({ target }) =>
    `Send it with every answer, in NGINX: add_header Alt-Svc 'h3=":${target.port}"; ma=86400' always;`,
};
