import { onServer } from "../../infra/local/deployment.ts";
import { sshOutput } from "./aws-ssh.ts";
import { isInAws, type MachineRef } from "./machine-ref.ts";

/** Runs a command of the server's own command line on the machine, such as `token list`. @returns its standard output */
export const serverCommand = (ref: MachineRef, args: string[]): Promise<string> =>
  isInAws(ref)
    ? sshOutput(ref, ["/usr/local/sbin/mcp-edge-server", ...args])
    : onServer(ref.stack, ref.networkIndex, args);
