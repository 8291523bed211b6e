import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { join } from "node:path";
import { poll, run } from "../exec.ts";
import { stackFolder } from "../paths.ts";
import { type Daemon, runningPid, startDaemon, stopDaemon, tail } from "./daemon.ts";
import {
  authorityAddress,
  ensureNamespace,
  machineAddress,
  type Network,
  removeNamespace,
} from "./network.ts";
import { ensureRootfs } from "./rootfs.ts";

/**
 * The local ACME server: Pebble with its DNS server, in a network namespace of its own on the stack's bridge.
 * Both programs come from the machine's root filesystem (Debian's `pebble`), run with that system's loader and libraries.
 */
export interface Authority {
  /** ACME directory URL (RFC 8555 section 7.1.1). */
  acmeServer: string;
  /** PEM of the small CA that signed the ACME server's own TLS certificate. Certbot must trust it. */
  serverCa: string;
  /** PEM file with the roots of the machine's certificates. Clients must trust them. */
  rootsFile: string;
}

const ACME_PORT = 14000;
const MANAGEMENT_PORT = 15000;

const folderOf = (stack: string) => join(stackFolder(stack), "authority");

function daemons(stack: string): { pebble: Daemon; dns: Daemon } {
  const folder = folderOf(stack);
  const daemon = (name: string) => ({
    pidFile: join(folder, `${name}.pid`),
    logFile: join(folder, `${name}.log`),
  });
  return { pebble: daemon("pebble"), dns: daemon("dns") };
}

/** Pebble's configuration. Its default ports are not those on which NGINX listens. */
const pebbleConfig = (address: string, folder: string) => ({
  pebble: {
    listenAddress: `${address}:${ACME_PORT}`,
    managementListenAddress: `${address}:${MANAGEMENT_PORT}`,
    certificate: join(folder, "pebble.pem"),
    privateKey: join(folder, "pebble.key"),
    httpPort: 80,
    tlsPort: 443,
    ocspResponderURL: "",
    externalAccountBindingRequired: false,
  },
});

/** A CA and a certificate for the ACME server's own HTTPS, which Debian's package does not include. */
async function ensureServerCertificate(folder: string, address: string): Promise<void> {
  if (existsSync(join(folder, "pebble.pem"))) return;
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    ..."req -x509 -days 3650 -subj /CN=mcp-edge-local-acme".split(" "),
    // Strict clients, such as Python 3.13, want to know what a CA's key is for, and whose key signed (RFC 5280, section 4.2.1).
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
    ...key,
    ..."-keyout ca.key -out ca.pem".split(" "),
  );
  await openssl("req", ...key, ..."-subj /CN=pebble -keyout pebble.key -out pebble.csr".split(" "));
  await writeFile(
    join(folder, "pebble.ext"),
    [
      `subjectAltName=IP:${address},IP:127.0.0.1,DNS:localhost`,
      "basicConstraints=CA:FALSE",
      "keyUsage=critical,digitalSignature",
      "extendedKeyUsage=serverAuth",
      "subjectKeyIdentifier=hash",
      "authorityKeyIdentifier=keyid",
      "",
    ].join("\n"),
  );
  await openssl(
    ..."x509 -req -in pebble.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile pebble.ext -out pebble.pem".split(
      " ",
    ),
  );
}

/** Runs a program of the root filesystem on the host, without a chroot. The host may have an older or another distribution. */
function fromRootfs(rootfs: string, program: string, args: string[]): string[] {
  const [loader, triplet] =
    process.arch === "arm64"
      ? ["usr/lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu"]
      : ["usr/lib64/ld-linux-x86-64.so.2", "x86_64-linux-gnu"];
  return [
    join(rootfs, loader),
    "--library-path",
    join(rootfs, "usr/lib", triplet),
    join(rootfs, "usr/bin", program),
    ...args,
  ];
}

/** Starts the authority, or the part of it that does not run. */
export async function ensureAuthority(
  stack: string,
  network: Network,
  log: (line: string) => void,
): Promise<Authority> {
  const folder = folderOf(stack);
  await mkdir(folder, { recursive: true });
  const { ipv4: address } = authorityAddress(network);
  const machine = machineAddress(network);
  const rootfs = await ensureRootfs(log);
  await ensureServerCertificate(folder, address);
  const namespace = await ensureNamespace(network, "ca", 2);
  const { pebble, dns } = daemons(stack);
  const inNamespace = (daemon: Daemon, program: string, args: string[], env = {}) =>
    startDaemon(daemon, "ip", ["netns", "exec", namespace, ...fromRootfs(rootfs.path, program, args)], env);

  if (!(await runningPid(dns))) {
    // Every name resolves to the machine: the validation of any domain reaches it.
    const args = ["-defaultIPv4", machine.ipv4, "-defaultIPv6", machine.ipv6, "-dns01", `${address}:8053`];
    const off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""];
    await inNamespace(dns, "pebble-challtestsrv", [...args, ...off, "-management", "127.0.0.1:8055"]);
  }
  if (!(await runningPid(pebble))) {
    const config = join(folder, "pebble.json");
    await writeFile(config, JSON.stringify(pebbleConfig(address, folder), null, 2));
    await inNamespace(pebble, "pebble", ["-config", config, "-dnsserver", `${address}:8053`], {
      PEBBLE_VA_NOSLEEP: "1",
      PEBBLE_WFE_NONCEREJECT: "0",
    });
    await learnRoot(folder, address, pebble);
  }
  return {
    acmeServer: `https://${address}:${ACME_PORT}/dir`,
    serverCa: await readFile(join(folder, "ca.pem"), "utf8"),
    rootsFile: join(folder, "roots.pem"),
  };
}

/**
 * Pebble makes a new root at every start; certificates of an earlier one stay on the data volume. So each root is added to
 * the file of roots, and none is removed.
 */
async function learnRoot(folder: string, address: string, pebble: Daemon): Promise<void> {
  const url = `https://${address}:${MANAGEMENT_PORT}/roots/0`;
  const ca = await readFile(join(folder, "ca.pem"), "utf8");
  const root = await poll(10_000, async () => {
    const got = await getText(url, ca).catch(() => "");
    return got.includes("BEGIN CERTIFICATE") ? got : undefined;
  });
  if (!root) {
    throw new Error(`The local ACME server did not start. Its log:\n  ${await tail(pebble.logFile)}`);
  }
  await appendFile(join(folder, "roots.pem"), `${root.trim()}\n`);
}

function getText(url: string, ca: string): Promise<string> {
  return new Promise((done, fail) => {
    const request = get(url, { ca, timeout: 2_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => done(text)).on("error", fail);
    });
    request.on("error", fail).on("timeout", () => request.destroy(new Error("no answer within 2 s")));
  });
}

export async function authorityProblem(stack: string): Promise<string | undefined> {
  const { pebble, dns } = daemons(stack);
  if (!(await runningPid(pebble))) return "Pebble does not run";
  if (!(await runningPid(dns))) return "its DNS server does not run";
  return undefined;
}

export async function removeAuthority(stack: string, network: Network | undefined): Promise<void> {
  const { pebble, dns } = daemons(stack);
  await stopDaemon(pebble);
  await stopDaemon(dns);
  if (network) await removeNamespace(`${network.bridge}-ca`);
}
