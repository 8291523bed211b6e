import { type PolicyResource, UnknownValueError } from "@pulumi/policy";

/**
 * Reads a value that a preview may not know yet.
 * @returns undefined when it is unknown: a stack policy then judges the rest, and the `up` judges this.
 */
export function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}

/** An object, or the object of its JSON (the engine writes a provider's own inputs so); of anything else an empty one. */
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
 * Does `property` of one resource name the other? By what the program made it of, else by its value.
 * @param ids the properties of the other that may be named there, such as its id
 * @throws UnknownValueError when neither tells
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
