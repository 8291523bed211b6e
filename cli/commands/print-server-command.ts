import { machineRef } from "../machine/machine-ref.ts";
import { serverArguments, serverCommand } from "../machine/server-command.ts";
import type { MachineOptions } from "./options.ts";

/**
 * Runs a command of the server's own command line on the machine, and prints what it prints.
 *
 * @param options every option but those that choose the machine is passed on; the server's command checks them
 */
export async function printServerCommand(
  command: readonly string[],
  { stack, machine, ...flags }: MachineOptions,
  operands: readonly string[] = [],
): Promise<void> {
  const ref = await machineRef(stack, machine);
  console.log((await serverCommand(ref, serverArguments(command, { ...flags }, operands))).trimEnd());
}
