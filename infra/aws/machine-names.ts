/**
 * Names of an edge's machines. Pure.
 *
 * The first machine has no number, so a second machine changes no name.
 */

/** For tags that people read. @param index from 0 */
export const machineLabel = (edge: string, index: number): string =>
  index === 0 ? edge : `${edge}.${index + 1}`;

/** For the names of resources. @param index from 0 */
export const machineName = (edge: string, index: number): string =>
  index === 0 ? edge : `${edge}-${index + 1}`;
