import { guestOf, leader, nsenterArguments } from "../../infra/local/guest.ts";
import { networkOf } from "../../infra/local/network.ts";
import { sshInTerminal } from "./aws-ssh.ts";
import { isInAws, type LocalMachineRef, type MachineRef } from "./machine-ref.ts";
import { runInTerminal } from "./terminal.ts";

/**
 * Runs a command as root on a machine, with our own terminal.
 * @param command empty: an interactive shell
 * @returns its exit code
 */
export const runOnMachine = (ref: MachineRef, command: string[]): Promise<number> =>
  isInAws(ref) ? sshInTerminal(ref, command) : inLocalGuest(ref, command);

async function inLocalGuest({ stack, networkIndex }: LocalMachineRef, command: string[]): Promise<number> {
  const pid = await leader(guestOf(stack, networkOf(networkIndex)));
  if (pid === undefined)
    throw new Error(`The machine of stack ${stack} is not running. Start it: npm run up`);
  const program = command.length > 0 ? command : ["bash", "--login"];
  return runInTerminal("nsenter", nsenterArguments(pid, program));
}
