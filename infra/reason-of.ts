/**
 * Why something failed, for a message. `fetch` has the reason in its cause, and an error about several addresses has one for each of them
 * and no message of its own.
 */
export function reasonOf(error: Error): string {
  const { message, cause, errors } = error as Partial<AggregateError>;
  const inner = (cause ?? errors?.[0]) as Error | undefined;
  if ((!message || message === "fetch failed") && inner) return reasonOf(inner);
  return message || (error as NodeJS.ErrnoException).code || error.name;
}
