import { createHash } from "node:crypto";
import type { Account } from "./kind.ts";
import { Store } from "./store.ts";

/** The one account of the double: AWS's documentation uses the same number. */
const ACCOUNT = "111122223333";

export function accountOf(env: NodeJS.ProcessEnv): Account {
  const home = env.AWS_DOUBLE_HOME;
  if (!home)
    throw new Error("AWS_DOUBLE_HOME is not set: the folder that keeps what the double of AWS holds.");
  return {
    store: new Store(home),
    region: env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? "eu-central-1",
    account: ACCOUNT,
    partition: "aws",
  };
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Temporary credentials alone have one. */
  sessionToken?: string;
}

const derive = (home: string, what: string) =>
  createHash("sha256").update(`${home}/${what}`).digest("base64url");

/** Whoever runs the program: may do everything. */
export const operatorCredentials = (home: string): Credentials => ({
  accessKeyId: "AKIADOUBLEOPERATOR00",
  secretAccessKey: derive(home, "operator"),
});

/** An instance's, as its metadata service hands them out. */
export function instanceCredentials(home: string, instanceId: string): Credentials {
  const key = createHash("sha256").update(instanceId).digest("hex").slice(0, 16).toUpperCase();
  return {
    accessKeyId: `ASIA${key}`,
    secretAccessKey: derive(home, `secret/${instanceId}`),
    sessionToken: derive(home, `token/${instanceId}`),
  };
}
