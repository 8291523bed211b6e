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

/** The label of the machine behind an edge that forwards packets. */
export const originLabel = (edge: string): string => `${edge}.origin`;

/** The name of the same machine in resources. */
export const originName = (edge: string): string => `${edge}-origin`;

/** The name of its role: four letters after the edge's name, as `role`, so that one pattern of the deployer's policy covers both. */
export const originRoleName = (edge: string): string => `${edge}-orig`;

/** Whether a label, the tag `Name`, is that of an origin. */
export const isOriginLabel = (label: string): boolean => label.endsWith(".origin");
