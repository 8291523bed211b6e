import { request } from "node:https";

export interface EdgeProbe {
  address: string;
  domain: string;
  /** PEM of the roots to trust. */
  ca: string;
}

/**
 * Request the edge's /readyz over TLS with verification.
 * @returns undefined when it is ready under a trusted certificate, else the problem.
 */
export function answersWithTrust(probe: EdgeProbe): Promise<string | undefined> {
  return new Promise((done) => {
    const { address, domain, ca } = probe;
    const call = request(
      {
        host: address,
        port: 443,
        path: "/readyz",
        servername: domain,
        headers: { host: domain },
        ca,
        agent: false,
        timeout: 3_000,
      },
      (response) => {
        response.resume();
        done(response.statusCode === 200 ? undefined : `/readyz answers ${response.statusCode}`);
      },
    );
    call.on("timeout", () => call.destroy(new Error("no answer within 3 s")));
    call.on("error", (error: NodeJS.ErrnoException) => {
      const bootstrap = error.code === "DEPTH_ZERO_SELF_SIGNED_CERT";
      done(bootstrap ? "it still serves the self-signed bootstrap certificate" : error.message);
    });
    call.end();
  });
}
