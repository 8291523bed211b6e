import { BucketClient } from "./bucket-client.ts";
import { converged } from "./convergence.ts";
import { findCredentials } from "./credentials.ts";

/**
 * Run by the engine (deployment.ts): wait for the machines, and say what they do. Exit code 1, with the reasons on standard
 * error, when one of them did not take the deployment.
 */
const setting = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: this script is the deployment's, run by the program`);
  return value;
};

try {
  const place = {
    bucket: setting("MCP_EDGE_BUCKET"),
    region: setting("MCP_EDGE_REGION"),
    endpoint: process.env.AWS_ENDPOINT_URL ?? "",
  };
  const minutes = Number(process.env.MCP_EDGE_WAIT_MINUTES ?? 25);
  const awaited = {
    generation: setting("MCP_EDGE_GENERATION"),
    instances: setting("MCP_EDGE_INSTANCES").split(","),
  };
  const client = new BucketClient(place, () => findCredentials());
  await converged(client, awaited, { log: (line) => console.log(line), limit: minutes * 60_000 });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
