import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { instanceCredentials } from "../account.ts";
import type { Account } from "../kind.ts";
import { keysOf } from "../machine/connect-keys.ts";
import { walls } from "../machine/firewall.ts";
import { roleOfProfile } from "../services/iam.ts";
import { INSTANCE } from "../services/instances.ts";
import type { Stored } from "../store.ts";
import { object, text } from "../values.ts";

/** IMDS, version 2 (EC2 user guide, "Use the Instance Metadata Service to access instance metadata"). */

interface Answer {
  status: number;
  body: string;
}

const ok = (body: string): Answer => ({ status: 200, body });

/** The instance is identified by its address, as on EC2. */
function askerOf(aws: Account, address: string): Stored | undefined {
  const bare = address.replace(/^::ffff:/, "");
  return aws.store.all(INSTANCE).find(({ outs }) => outs.privateIp === bare);
}

function credentials(aws: Account, { id }: Stored): string {
  const { accessKeyId, secretAccessKey, sessionToken } = instanceCredentials(aws.store.home, id);
  return JSON.stringify({
    Code: "Success",
    LastUpdated: new Date().toISOString(),
    Type: "AWS-HMAC",
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: new Date(Date.now() + 6 * 3_600_000).toISOString(),
  });
}

function metadata(aws: Account, instance: Stored, path: string): Answer | undefined {
  const { id, inputs, outs } = instance;
  const zone = text(outs, "availabilityZone");
  const role = roleOfProfile(aws, text(inputs, "iamInstanceProfile"));
  const publicIp = walls(aws.store).find((wall) => wall.id === id)?.publicIp;
  const identity = {
    accountId: aws.account,
    availabilityZone: zone,
    imageId: inputs.ami,
    instanceId: id,
    instanceType: inputs.instanceType,
    privateIp: outs.privateIp,
    region: aws.region,
    version: "2017-09-30",
  };
  const values: Record<string, string | undefined> = {
    "meta-data/instance-id": id,
    "meta-data/ami-id": text(inputs, "ami"),
    "meta-data/instance-type": text(inputs, "instanceType"),
    "meta-data/local-ipv4": text(outs, "privateIp"),
    "meta-data/public-ipv4": publicIp,
    "meta-data/placement/region": aws.region,
    "meta-data/placement/availability-zone": zone,
    "meta-data/iam/security-credentials": role,
    "meta-data/iam/security-credentials/": role,
    [`meta-data/iam/security-credentials/${role}`]: role && credentials(aws, instance),
    "dynamic/instance-identity/document": JSON.stringify(identity, null, 2),
  };
  const [, user] = /^meta-data\/managed-ssh-keys\/active-keys\/([a-z]+)\/$/.exec(path) ?? [];
  const value = user === undefined ? values[path] : keysOf(aws.store.home, id, user);
  return value === undefined || value === "" ? undefined : ok(value);
}

export class MetadataService {
  readonly #aws: Account;
  /** By token: the instance that it was issued to, and its expiry. */
  readonly #tokens = new Map<string, { instance: string; ends: number }>();

  constructor(aws: Account) {
    this.#aws = aws;
  }

  listen(host: string, port: number): Promise<Server> {
    const server = createServer((request, response) => {
      const { status, body } = this.#answer(request);
      response.writeHead(status, { "content-type": "text/plain" }).end(body);
    });
    return new Promise((done, fail) => server.once("error", fail).listen(port, host, () => done(server)));
  }

  #answer(request: IncomingMessage): Answer {
    const instance = askerOf(this.#aws, request.socket.remoteAddress ?? "");
    if (!instance) return { status: 404, body: "no instance has this address" };
    const options = object(instance.inputs, "metadataOptions");
    if (options.httpEndpoint === "disabled") return { status: 403, body: "" };
    const url = request.url ?? "";
    if (request.method === "PUT" && url === "/latest/api/token") return this.#token(request, instance);
    const token = request.headers["x-aws-ec2-metadata-token"];
    if (options.httpTokens === "required" || token !== undefined) {
      const known = this.#tokens.get(String(token));
      if (!known || known.instance !== instance.id || known.ends < Date.now())
        return { status: 401, body: "" };
    }
    const [, path = ""] = /^\/latest\/(.*)$/.exec(url) ?? [];
    return metadata(this.#aws, instance, path) ?? { status: 404, body: "" };
  }

  #token(request: IncomingMessage, instance: Stored): Answer {
    const seconds = Number(request.headers["x-aws-ec2-metadata-token-ttl-seconds"]);
    if (!(seconds >= 1 && seconds <= 21_600)) return { status: 400, body: "" };
    // A request that was forwarded by a proxy gets no token.
    if (request.headers["x-forwarded-for"] !== undefined) return { status: 403, body: "" };
    const token = randomBytes(40).toString("base64url");
    this.#tokens.set(token, { instance: instance.id, ends: Date.now() + seconds * 1000 });
    return ok(token);
  }
}
