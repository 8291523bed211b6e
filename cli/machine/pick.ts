import type { MachineKind } from "../../cloud-init/topology.ts";

/** A machine of a stack in AWS. */
export interface KnownMachine {
  instance: string;
  /** With `edge: passthrough`: which of the two machines. */
  kind?: MachineKind;
}

/**
 * Picks one of a stack's machines in AWS.
 * @param machines in the order of their numbers
 * @param wanted an instance id, a number from 1, or, with `edge: passthrough`, `edge` or `origin`. Default: the machine that runs the server
 * @throws Error that lists the machines when the wanted one is not among them
 */
export function pickMachine<T extends KnownMachine>(
  machines: T[],
  { stack, wanted }: { stack: string; wanted?: string | undefined },
): T {
  const found =
    wanted === undefined
      ? (machines.find(({ kind }) => kind === "origin") ?? machines[0])
      : (machines.find(({ instance, kind }) => instance === wanted || kind === wanted) ??
        machines[Number(wanted) - 1]);
  if (found) return found;
  if (machines.length === 0)
    throw new Error(`Stack ${stack} has no machine in AWS yet. Bring it up: pulumi up --stack ${stack}`);
  const ids = machines.map(({ instance, kind }) => (kind ? `${instance} (${kind})` : instance)).join(", ");
  throw new Error(`Stack ${stack} has no machine ${wanted}; it has ${ids} (1 to ${machines.length})`);
}
