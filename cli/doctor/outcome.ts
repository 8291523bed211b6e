import { type Check, CheckFailure, type CheckResult } from "./check.ts";
import { explain } from "./explain.ts";

/**
 * Runs the work of a check, times it, and turns its failure into words and advice. Never rejects.
 * @param reason an explanation of an error that the work threw; undefined: the general one
 */
export async function outcomeOf<C>(
  check: Pick<Check<C>, "id" | "title" | "tried" | "fix">,
  context: C,
  work: () => Promise<string>,
  reason: (error: unknown) => string | undefined = () => undefined,
): Promise<CheckResult> {
  const { id, title } = check;
  const started = performance.now();
  const result = (ok: boolean, got: string, fix?: string): CheckResult => ({
    id,
    title,
    tried: check.tried(context),
    got,
    ok,
    ms: Math.round(performance.now() - started),
    ...(fix === undefined ? {} : { fix }),
  });
  try {
    return result(true, await work());
  } catch (error) {
    if (error instanceof CheckFailure) return result(false, error.message, error.fix ?? check.fix(context));
    const known = reason(error);
    if (known !== undefined) return result(false, known, check.fix(context));
    const { got, fix } = explain(error);
    return result(false, got, fix ?? check.fix(context));
  }
}
