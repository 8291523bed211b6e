import { randomBytes } from "node:crypto";
import { type Check, CheckFailure } from "../../check.ts";
import { askHttp } from "../../clients/http1.ts";
import { tryAddresses } from "../each-address.ts";

const FOLDER = "/.well-known/acme-challenge/";

/** The authority fetches the challenge over plain HTTP; here a challenge that does not exist must be a plain 404. */
export const acme: Check = {
  id: "acme",
  title: "ACME path",
  needs: ["dns"],
  tried: ({ target }) => `GET http://${target.host}${FOLDER}<random>: must be 404, not a redirect`,
  async run(context, signal) {
    const path = `${FOLDER}${randomBytes(12).toString("base64url")}`;
    return tryAddresses({
      context,
      signal,
      addresses: context.addresses,
      async attempt(address, limited) {
        const { status, headers } = await askHttp(context, address, { path }, limited);
        if (status !== 404) {
          const to = headers.location === undefined ? "" : ` to ${headers.location}`;
          throw new CheckFailure(`status ${status}${to} instead of 404`);
        }
        return `404 from ${headers.server ?? "a server that does not name itself"}`;
      },
    });
  },
  fix: () =>
    `Serve the challenges on port 80 before the redirect: location ^~ ${FOLDER} { root /var/www/acme; try_files $uri =404; }`,
};
