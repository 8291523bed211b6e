import { edge } from "./infra/edge.ts";

// The same program under `pulumi up` and under `npm run up`; the stack's configuration says what it makes. Each target has
// some of these outputs.
export const {
  url,
  ipv4,
  ipv6,
  release,
  networkIndex,
  rootsFile,
  machines,
  bucket,
  region,
  generation,
  records,
  nameServers,
  shell,
  monthlyCost,
} = await edge();
