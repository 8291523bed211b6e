import { type PolicyResource, UnknownValueError } from "@pulumi/policy";

/**
 * Reads a value that may be unknown during a preview.
 * @returns undefined if it is unknown: a stack policy then checks the rest, and `up` checks this value.
 */
export function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}

/** Whether a value is unknown during a preview, so that nothing can be said about it yet. */
export const isUnknown = (read: () => unknown): boolean => known(() => [read()]) === undefined;

/** An object, given as such or as JSON (as the engine writes a provider's own inputs). Anything else becomes an empty object. */
export function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value === "string") {
    try {
      return objectOf(JSON.parse(value));
    } catch {
      return {};
    }
  }
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/**
 * Whether `property` of one resource refers to the other. Looks at the property's dependencies first, then at its value.
 * @param ids properties of the other resource that the value may equal, such as its id
 * @throws UnknownValueError when neither decides it
 */
export function refersTo(
  from: PolicyResource,
  property: string,
  to: PolicyResource,
  ids: string[],
  read = () => from.props[property],
): boolean {
  const sources = from.propertyDependencies[property] ?? [];
  if (sources.some(({ urn }) => urn === to.urn)) return true;
  const value = sources.length > 0 ? known(read) : read();
  return value !== undefined && ids.some((id) => known(() => to.props[id]) === value);
}
