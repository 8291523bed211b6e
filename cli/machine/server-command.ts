import { machineOutput } from "./machine-output.ts";
import type { MachineRef } from "./machine-ref.ts";

/** Runs a command of the server's own command line on the machine, such as `token list`. @returns its standard output */
export const serverCommand = (ref: MachineRef, args: string[]): Promise<string> =>
  machineOutput(ref, ["/usr/local/sbin/mcp-edge-server", ...args]);

/**
 * Arguments of the server's own command line. Each flag is one argument, and operands follow "--", so that no text is taken for an option.
 *
 * @param flags text: `--name=text`; true: `--name`; false and undefined: left out
 */
export function serverArguments(
  command: readonly string[],
  flags: Readonly<Record<string, string | boolean | undefined>>,
  operands: readonly string[] = [],
): string[] {
  const given = Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return [value === true ? `--${name}` : `--${name}=${value}`];
  });
  return [...command, ...given, ...(operands.length > 0 ? ["--", ...operands] : [])];
}
