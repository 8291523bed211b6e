import { onMachine } from "../../infra/local/deployment.ts";
import { sshOutput } from "./aws-ssh.ts";
import { isInAws, type MachineRef } from "./machine-ref.ts";

/** Runs a program as root on a machine. @returns its standard output */
export const machineOutput = (ref: MachineRef, command: string[]): Promise<string> =>
  isInAws(ref) ? sshOutput(ref, command) : onMachine(ref.stack, ref.networkIndex, command);
