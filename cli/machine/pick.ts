/**
 * Picks one of a stack's machines in AWS.
 * @param machines in the order of their numbers
 * @param wanted an instance id, or a number from 1
 * @throws Error that lists the machines when the wanted one is not among them
 */
export function pickMachine<T extends { instance: string }>(
  machines: T[],
  { stack, wanted }: { stack: string; wanted: string },
): T {
  const found = machines.find(({ instance }) => instance === wanted) ?? machines[Number(wanted) - 1];
  if (found) return found;
  if (machines.length === 0)
    throw new Error(`Stack ${stack} has no machine in AWS yet. Bring it up: pulumi up --stack ${stack}`);
  const ids = machines.map(({ instance }) => instance).join(", ");
  throw new Error(`Stack ${stack} has no machine ${wanted}; it has ${ids} (1 to ${machines.length})`);
}
