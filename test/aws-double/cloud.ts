import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hostEnvironment } from "./main.ts";

/**
 * The part of the double that exists before any stack: network, ACME server with its DNS, Amazon's endpoint.
 *
 *     AWS_DOUBLE_HOME=/tmp/cloud node test/aws-double/cloud.ts start    prints the environment for the engine, as JSON
 *     AWS_DOUBLE_HOME=/tmp/cloud node test/aws-double/cloud.ts stop     ends and removes all of it, whatever a stack left
 */
hostEnvironment(process.env);
const { accountOf, roleCredentials } = await import("./account.ts");
const { poll, run, succeeds } = await import("../../infra/exec.ts");
const { ensureAuthority, removeAuthority } = await import("../../infra/local/authority.ts");
const { startDaemon, stopDaemon, tail } = await import("../../infra/local/daemon.ts");
const { assertHost, installMissing } = await import("../../infra/local/host.ts");
const { ensureNetwork, networkOf, removeNetwork } = await import("../../infra/local/network.ts");
const { stackFolder, cache } = await import("../../infra/paths.ts");
const { discard } = await import("../../infra/local/machine.ts");
const { stopGuest } = await import("../../infra/local/guest.ts");
const { ACME_HOSTS, acmeCertificateFile } = await import("./machine/acme.ts");
const { convergeFirewall, tableOf } = await import("./machine/firewall.ts");
const { forgetRoutes } = await import("./machine/routes.ts");
const { forgetNames, resolverCalls } = await import("./machine/dns.ts");
const { guestOfInstance } = await import("./machine/instance.ts");
const { CLOUD_STACK, cloudFile, cloudOf } = await import("./machine/plan.ts");

const aws = accountOf(process.env);
const { home } = aws.store;
const FORWARD6 = "/proc/sys/net/ipv6/conf/all/forwarding";
const endpoint = { pidFile: join(home, "endpoint.pid"), logFile: join(home, "endpoint.log") };

async function acmeCertificate(): Promise<void> {
  const folder = join(home, "acme");
  if (existsSync(acmeCertificateFile(home))) return;
  await mkdir(folder, { recursive: true });
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    "req",
    "-x509",
    "-days",
    "30",
    "-subj",
    "/CN=aws-double",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
  );
  const names = ACME_HOSTS.map((name) => `DNS:${name}`).join(",");
  await writeFile(join(folder, "endpoint.ext"), `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`);
  await openssl("req", ...key, "-subj", "/CN=acme", "-keyout", "endpoint.key", "-out", "endpoint.csr");
  const sign = ["-req", "-in", "endpoint.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
  await openssl("x509", ...sign, "-days", "30", "-extfile", "endpoint.ext", "-out", "endpoint.pem");
}

async function start(): Promise<void> {
  assertHost();
  await installMissing((line) => console.error(line));
  const network = await ensureNetwork(CLOUD_STACK);
  await writeFile(cloudFile(home), JSON.stringify({ networkIndex: network.index }));
  if ((await readFile(FORWARD6, "utf8")).trim() === "0") {
    await writeFile(join(home, "ipv6-forward-was-off"), "");
    await writeFile(FORWARD6, "1");
  }
  const authority = await ensureAuthority(CLOUD_STACK, network, (line) => console.error(line));
  // Names come only from Route 53, and packets to the VPC's addresses pass this host's filter.
  await resolverCalls(network.index, [
    ["set-default-ipv4", { ip: "" }],
    ["set-default-ipv6", { ip: "" }],
  ]);
  const namespace = `${network.bridge}-ca`;
  await run("ip", ["-n", namespace, "-6", "route", "replace", "default", "via", `${network.net6}::1`]);
  await acmeCertificate();
  // A forwarding instance sends packets with addresses of others. Loose: any route to the source will do (RFC 3704).
  await writeFile(`/proc/sys/net/ipv4/conf/${network.bridge}/rp_filter`, "2");
  await convergeFirewall(aws.store);
  await startDaemon(endpoint, process.execPath, [join(import.meta.dirname, "endpoint/main.ts")]);
  const url = `http://${network.net4}.1`;
  const answers = await poll(60_000, () =>
    fetch(url).then(
      () => true as const,
      () => undefined,
    ),
  );
  if (!answers) throw new Error(`Amazon's endpoint did not start:\n  ${await tail(endpoint.logFile)}`);
  const { accessKeyId, secretAccessKey } = roleCredentials(home, "deployer");
  const environment = {
    AWS_DOUBLE_HOME: home,
    AWS_REGION: aws.region,
    AWS_ENDPOINT_URL: url,
    MCP_EDGE_MACHINE_ENDPOINT: url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    MCP_EDGE_CACHE: cache,
  };
  console.log(
    JSON.stringify({
      environment,
      rootsFile: authority.rootsFile,
      bridge: network.bridge,
      net4: network.net4,
    }),
  );
}

async function stopInstances(): Promise<void> {
  const stacks = await readdir(join(process.env.MCP_EDGE_HOME ?? "", "stacks")).catch(() => []);
  for (const id of stacks.filter((name) => name.startsWith("i-"))) {
    await stopGuest(guestOfInstance(home, id));
    await discard(id);
    await rm(stackFolder(id), { recursive: true, force: true });
  }
}

async function freeDisks(): Promise<void> {
  const { stdout } = await run("losetup", ["--noheadings", "-O", "NAME,BACK-FILE"]);
  for (const line of stdout.split("\n")) {
    const [loop, file = ""] = line.trim().split(/\s+/);
    if (loop && file.startsWith(`${home}/`)) await succeeds("losetup", ["-d", loop]);
  }
}

async function stop(): Promise<void> {
  const cloud = cloudOf(home);
  if (!cloud) return;
  const network = networkOf(cloud.networkIndex);
  await stopInstances();
  await stopDaemon(endpoint);
  await freeDisks();
  await forgetNames(home);
  for (const family of ["inet", "bridge"])
    await succeeds("nft", ["delete", "table", family, tableOf(network)]);
  await forgetRoutes(network);
  await removeAuthority(CLOUD_STACK, network);
  await removeNetwork(CLOUD_STACK);
  const { stdout } = await run("nft", ["list", "tables"]);
  // Another cloud on this host still needs it.
  if (existsSync(join(home, "ipv6-forward-was-off")) && !stdout.includes("_aws"))
    await writeFile(FORWARD6, "0");
  await rm(home, { recursive: true, force: true });
}

if (process.argv[2] === "start") await start();
else if (process.argv[2] === "stop") await stop();
else {
  console.error("usage: AWS_DOUBLE_HOME=FOLDER node test/aws-double/cloud.ts start | stop");
  process.exitCode = 2;
}
