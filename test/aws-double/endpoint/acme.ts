import { readFileSync } from "node:fs";
import { createServer, type Server, request as secureRequest } from "node:https";
import { acmeCertificateFile, acmeKeyFile } from "../machine/acme.ts";

/**
 * Let's Encrypt's endpoint: the local ACME server under Let's Encrypt's own name, port and directory path, so that a machine asks it
 * exactly as it would ask the real one. The ACME server builds its URLs from the Host header, which is passed on.
 */
export function acmeEndpoint(home: string, behind: { host: string; port: number; ca: string }): Server {
  const certificate = { cert: readFileSync(acmeCertificateFile(home)), key: readFileSync(acmeKeyFile(home)) };
  return createServer(certificate, (incoming, outgoing) => {
    const path = incoming.url === "/directory" ? "/dir" : incoming.url;
    const { host, port, ca } = behind;
    const { method, headers } = incoming;
    // The ACME server's certificate is for an address, which differs from the Host header.
    const onward = secureRequest(
      { host, port, ca, servername: "localhost", path, method, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on("error", (error) => outgoing.writeHead(502).end(error.message));
    incoming.pipe(onward);
  });
}
