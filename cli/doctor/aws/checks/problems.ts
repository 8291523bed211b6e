import { CheckFailure } from "../../check.ts";

/** Advice for a resource that is not as the program made it. */
export const REFRESH = "pulumi up --refresh puts back what was changed by hand";

/** @throws CheckFailure that lists the problems, when there are any */
export function failOn(problems: string[]): void {
  if (problems.length > 0) throw new CheckFailure(problems.join("; "));
}
