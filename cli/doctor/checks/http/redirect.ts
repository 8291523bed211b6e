import { type Check, CheckFailure } from "../../check.ts";
import { askHttp } from "../../clients/http1.ts";
import { tryAddresses } from "../each-address.ts";

const PATH = "/doctor?redirect=1";

export const redirect: Check = {
  id: "redirect",
  title: "HTTP to HTTPS",
  needs: ["dns"],
  tried: ({ target }) =>
    `GET http://${target.host}${target.httpPort === 80 ? "" : `:${target.httpPort}`}${PATH}`,
  async run(context, signal) {
    const wanted = `${context.target.origin}${PATH}`;
    return tryAddresses({
      context,
      signal,
      addresses: context.addresses,
      async attempt(address, limited) {
        const { status, headers } = await askHttp(context, address, { path: PATH }, limited);
        const location = headers.location ?? "no Location";
        // 308 keeps the method and body of a POST, which 301 does not (RFC 9110 section 15.4.9).
        if (status !== 308) throw new CheckFailure(`status ${status} (${location}) instead of 308`);
        if (location !== wanted) throw new CheckFailure(`308 to ${location} instead of ${wanted}`);
        return `308 to ${context.target.origin}`;
      },
    });
  },
  fix: ({ target }) =>
    `Open TCP ${target.httpPort} and let its server answer: return 308 https://${target.host}$request_uri;`,
};
