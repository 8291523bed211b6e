import { connect } from "node:net";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { hostEnvironment } from "./main.ts";

/**
 * EC2 Instance Connect as the AWS CLI offers it (`bin/aws`). The key goes into the metadata service, where the machine's sshd asks for it.
 * The tunnel begins at the endpoint's address in the VPC, so the security groups decide whether it gets through.
 */
hostEnvironment(process.env);
const { accountOf } = await import("./account.ts");
const { endpointAddress } = await import("./machine/firewall.ts");
const { addKey } = await import("./machine/connect-keys.ts");
const { INSTANCE } = await import("./services/instances.ts");
const { connectEndpoint } = await import("./services/vpc.ts");

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    "instance-id": { type: "string", default: "" },
    "instance-os-user": { type: "string", default: "" },
    "ssh-public-key": { type: "string", default: "" },
    region: { type: "string" },
    output: { type: "string" },
  },
});
const { store } = accountOf(process.env);
const id = values["instance-id"];
const instance = store.get(INSTANCE, id);
const command = positionals.join(" ");

function refuse(code: string, message: string): never {
  console.error(`An error occurred (${code}) when calling the ${command} operation: ${message}`);
  process.exit(254);
}

if (!instance) refuse("EC2InstanceNotFoundException", `Instance ${id} not found`);
if (command === "ec2-instance-connect send-ssh-public-key") {
  addKey(store.home, id, values["instance-os-user"], values["ssh-public-key"]);
  console.log("True");
} else if (command === "ec2-instance-connect open-tunnel") {
  if (store.all(connectEndpoint.token).length === 0)
    refuse("ResourceNotFoundException", "There is no EC2 Instance Connect endpoint");
  const host = String(instance.outs.privateIp);
  const localAddress = endpointAddress(store.home);
  const tunnel = connect({ host, port: 22, ...(localAddress ? { localAddress } : {}) });
  await Promise.all([pipeline(process.stdin, tunnel), pipeline(tunnel, process.stdout)]);
} else refuse("UnknownOperation", "the double does not have it");
