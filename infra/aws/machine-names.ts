/**
 * Names of a stack's machines. Pure.
 *
 * AWS has one name space for the alarms of a region, and a stack's name may hold hyphens: the second machine of `prod` must not be
 * called like the first of `prod-2`. No stack's name holds a dot.
 */

/** In names and tags that AWS keeps. @param index from 0 */
export const machineLabel = (stack: string, index: number): string =>
  index === 0 ? stack : `${stack}.${index + 1}`;

/** In the names of the engine's resources, which are the stack's own. The first has no number: a second changes no name. */
export const machineName = (stack: string, index: number): string =>
  index === 0 ? stack : `${stack}-${index + 1}`;
