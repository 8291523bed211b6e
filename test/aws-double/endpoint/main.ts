import { hostEnvironment } from "../main.ts";

/** The process that answers for Amazon while the cloud is up: started by cloud.ts, ended by it. */
hostEnvironment(process.env);
const { accountOf } = await import("../account.ts");
const { networkOf, authorityAddress } = await import("../../../infra/local/network.ts");
const { ensureAuthority } = await import("../../../infra/local/authority.ts");
const { cloudOf, CLOUD_STACK, METADATA_PORT } = await import("../machine/plan.ts");
const { acmeEndpoint } = await import("./acme.ts");
const { apiServer } = await import("./api.ts");
const { MetadataService } = await import("./metadata.ts");

const aws = accountOf(process.env);
const cloud = cloudOf(aws.store.home);
if (!cloud) throw new Error("The cloud is not up: node test/aws-double/cloud.ts start");
const network = networkOf(cloud.networkIndex);
const address = `${network.net4}.1`;
const log = (line: string) => console.log(`${new Date().toISOString()} ${line}`);

// It runs already; this gives the certificate that its own HTTPS has.
const { serverCa } = await ensureAuthority(CLOUD_STACK, network, log);
const listen = (server: import("node:net").Server, port: number) =>
  new Promise<void>((done, fail) => server.once("error", fail).listen(port, address, () => done()));

await new MetadataService(aws).listen(address, METADATA_PORT);
await listen(
  acmeEndpoint(aws.store.home, { host: authorityAddress(network).ipv4, port: 14_000, ca: serverCa }),
  443,
);
const { converger } = await import("../machine/converge.ts");
const converge = converger(aws.store);
await listen(
  apiServer(aws, log, () => converge(["dns"])),
  80,
);
log(`ready on ${address}`);
