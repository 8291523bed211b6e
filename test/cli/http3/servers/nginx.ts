import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Issued } from "./certificates.ts";

export interface NginxOptions {
  folder: string;
  certificate: Issued;
  /** Port for TLS over TCP and for QUIC. */
  port: number;
  /** Port for plain HTTP. */
  httpPort: number;
  /** Port of the server behind it, on 127.0.0.1. */
  backend: number;
  /** Status for a request that names another host. Default 421, as on the machine. */
  foreign?: number;
}

export interface Nginx {
  /** Process ids of the workers. */
  workers(): number[];
  stop(): Promise<void>;
}

const NAME = "edge.test";
const WORKERS = 2;

/**
 * NGINX with HTTP/3, on loopback. The host's own where it has the module, else the one of the machine's root
 * filesystem, started by its own dynamic loader: so it needs no chroot and leaves the root filesystem untouched.
 */
async function command(): Promise<string[]> {
  try {
    const version = execFileSync("sh", ["-c", "nginx -V 2>&1"], { encoding: "utf8" });
    if (version.includes("http_v3_module")) return ["nginx"];
  } catch {
    // Not installed.
  }
  const { ensureRootfs } = await import("../../../../infra/local/rootfs.ts");
  const { path } = await ensureRootfs(() => undefined);
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const loader = process.arch === "arm64" ? "ld-linux-aarch64.so.1" : "ld-linux-x86-64.so.2";
  const libraries = join(path, "usr/lib", triplet);
  const binary = join(path, "usr/sbin/nginx");
  if (!existsSync(binary)) throw new Error(`${binary} is missing: the machine's packages have no nginx`);
  return [join(libraries, loader), "--library-path", libraries, binary];
}

/** Starts an edge like the machine's: unknown names refused, Alt-Svc, redirect, ACME path, nothing buffered. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { folder } = options;
  const [program = "", ...args] = await command();
  const configuration = join(folder, "nginx.conf");
  writeFileSync(configuration, render(options));
  const child = spawn(program, [...args, "-p", folder, "-c", configuration, "-e", "stderr"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, OPENSSL_CONF: "/dev/null" },
  });
  let log = "";
  child.stderr.on("data", (part: Buffer) => {
    log += part.toString();
  });
  const workers = () =>
    readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").match(/\d+/g) ?? [];
  // A port that answers may be another server's, and NGINX listens by TCP while it still tries to get its port for UDP.
  while (workers().length < WORKERS) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`nginx ended at once:\n${log}`);
    await delay(20);
  }
  return {
    workers: () => workers().map(Number),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
    },
  };
}

function render({ folder, certificate, port, httpPort, backend, foreign = 421 }: NginxOptions): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  // Started as root, NGINX would run its workers as an account that cannot read the folder.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `
${user} daemon off; worker_processes ${WORKERS}; pid ${folder}/nginx.pid; error_log stderr warn; worker_shutdown_timeout 2s;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  ssl_certificate ${certificate.certFile}; ssl_certificate_key ${certificate.keyFile}; ssl_protocols TLSv1.2 TLSv1.3;
  server {
    listen 127.0.0.1:${port} ssl default_server; listen 127.0.0.1:${port} quic reuseport default_server;
    http2 on; http3 on; ssl_reject_handshake on; location / { return ${foreign}; }
  }
  server {
    listen 127.0.0.1:${port} ssl; listen 127.0.0.1:${port} quic;
    http2 on; http3 on; server_name ${NAME}; client_max_body_size 100m;
    add_header Alt-Svc 'h3=":${port}"; ma=86400' always;
    location / {
      proxy_pass http://127.0.0.1:${backend}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Http-Version $server_protocol;
      proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 1h;
    }
  }
  server {
    listen 127.0.0.1:${httpPort}; server_name ${NAME};
    location ^~ /.well-known/acme-challenge/ { root ${folder}/acme; default_type text/plain; try_files $uri =404; }
    location / { return 308 https://${NAME}:${port}$request_uri; }
  }
}
`;
}
