import { expect, test } from "@jest/globals";
import { tlsServerCommands } from "../../../cli/doctor/advice.ts";

test("advice names the commands of the machine's own TLS server, and those of NGINX for a host of no stack", () => {
  const caddy = tlsServerCommands({ machine: { stack: "dev", tlsServer: "caddy" } });
  expect(caddy.status).toBe("npm run mcp-edge -- shell --stack dev -- mcp-edge-caddy status");
  expect(caddy.certificate).toBe(
    "npm run mcp-edge -- shell --stack dev -- cat /run/mcp-edge-cert/problem; npm run mcp-edge -- logs --stack dev -n 50 -u 'caddy*'",
  );
  const nginx = tlsServerCommands({ machine: { stack: "dev", tlsServer: "nginx" } });
  expect(nginx.log).toBe("npm run mcp-edge -- logs --stack dev -n 50 -u 'nginx*'");
  expect(nginx.certificate).toContain("-u mcp-edge-cert.service");
  expect(JSON.stringify(tlsServerCommands({}))).not.toContain("npm run");
});
