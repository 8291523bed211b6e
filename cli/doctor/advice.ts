import type { Target } from "./target.ts";

/** Commands that show what the TLS server of the examined host does. For a host of no stack: what somebody runs on a machine with NGINX. */
interface Commands {
  /** Whether it runs. */
  status: string;
  /** Its log. */
  log: string;
  /** Why it has no new certificate. */
  certificate: string;
}

export function tlsServerCommands({ machine }: Pick<Target, "machine">): Commands {
  if (machine === undefined)
    return {
      status: "ss -lnt; systemctl status nginx",
      log: "nginx -t; journalctl -u nginx -n 50",
      certificate: "cat /run/mcp-edge-cert/problem; journalctl -u mcp-edge-cert -n 50",
    };
  const { stack, tlsServer } = machine;
  const shell = `npm run mcp-edge -- shell --stack ${stack} --`;
  const logs = `npm run mcp-edge -- logs --stack ${stack} -n 50`;
  const problem = `${shell} cat /run/mcp-edge-cert/problem`;
  return tlsServer === "caddy"
    ? {
        status: `${shell} mcp-edge-caddy status`,
        log: `${logs} -u 'caddy*'`,
        certificate: `${problem}; ${logs} -u 'caddy*'`,
      }
    : {
        status: `${shell} mcp-edge-nginx status`,
        log: `${logs} -u 'nginx*'`,
        certificate: `${problem}; ${logs} -u mcp-edge-cert.service`,
      };
}
